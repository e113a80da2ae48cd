// What-if answers while it is typed, the rest of the desk works without any script.
"use strict";

const fill = async (place, request) => {
  place.classList.add("waits");
  try {
    const answer = await request();
    if (answer.redirected) { window.location.assign(answer.url); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const error = answer.ok ? null : page.querySelector("main p");
    place.replaceChildren(...(error ? [error] : page.body.childNodes));
  } finally {
    place.classList.remove("waits");
  }
};

for (const form of document.querySelectorAll("form[data-into]")) {
  const place = document.getElementById(form.dataset.into);
  let wait = 0;
  let newest = 0;
  const simulate = () => {
    const mine = ++newest;
    fill(place, async () => {
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "X-Fragment": "1" }, credentials: "same-origin",
      });
      if (mine !== newest) { throw new DOMException("a newer question was asked", "AbortError"); }
      return answer;
    }).catch((error) => { if (error.name !== "AbortError") { form.submit(); } });
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); simulate(); });
  form.addEventListener("input", () => { window.clearTimeout(wait); wait = window.setTimeout(simulate, 150); });
}

for (const link of document.querySelectorAll("a[data-into]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const place = document.getElementById(link.dataset.into);
    fill(place, () => fetch(link.href, { headers: { "X-Fragment": "1" }, credentials: "same-origin" }))
      .catch(() => window.location.assign(link.href));
  });
}

for (const slider of document.querySelectorAll("input[data-shown]")) {
  const shown = document.getElementById(slider.dataset.shown);
  const write = new Intl.NumberFormat(document.documentElement.lang, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
  slider.addEventListener("input", () => { shown.value = write.format(slider.value / 100); });
  slider.addEventListener("change", () => slider.form.requestSubmit());
}
