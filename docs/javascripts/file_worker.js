/* Browsers start no worker for a page that is a file. There, the search runs in a hidden frame instead; Material asks for
   a class of this name, which it would otherwise fetch from elsewhere. */
class IFrameWorker extends EventTarget {
  constructor(url) {
    super()
    this.frame = document.createElement("iframe")
    this.frame.hidden = true
    document.body.append(this.frame)
    const inside = this.frame.contentWindow
    inside.document.open()
    inside.document.write("<html><body></body></html>")
    inside.document.close()
    const load = source => new Promise((resolve, reject) => {
      const script = inside.document.createElement("script")
      script.src = source
      script.onload = resolve
      script.onerror = reject
      inside.document.body.append(script)
    })
    inside.postMessage = data => {
      const event = new MessageEvent("message", { data })
      this.dispatchEvent(event)
      if (this.onmessage) this.onmessage(event)
    }
    inside.importScripts = (...sources) =>
      sources.reduce((before, source) => before.then(() => load(source)), Promise.resolve())
    this.ready = load(url)
  }

  postMessage(data) {
    const inside = this.frame.contentWindow
    this.ready.then(() => inside.dispatchEvent(new inside.MessageEvent("message", { data })))
  }

  terminate() {
    this.frame.remove()
  }
}

window.IFrameWorker = IFrameWorker
if (location.protocol === "file:") window.Worker = IFrameWorker
