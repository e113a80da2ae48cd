"""Words of the report in French and in English; the numbers in them come from artefacts."""

from collections.abc import Mapping

TEXTS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "title": "Scoring crédit : probabilité de défaut et décision au moindre coût",
        "subtitle": "Rapport d'exécution, écrit à partir de ses seuls artefacts. Source des données : {source}.",
        "source_synthetic": "jumeau synthétique",
        "source_home_credit": "Home Credit",
        "synthetic": "Données synthétiques",
        "synthetic_note": "Aucun chiffre de ce rapport ne dit quoi que ce soit de clients réels : "
        "il montre que la chaîne fonctionne.",
        "suspicious": "Résultat suspect",
        "page": "Page {page} sur {pages}",
        "figure": "Figure",
        "table": "Tableau",
        "interval": "de {low} à {high}",
        "tile_auc": "AUC, échantillon témoin",
        "tile_threshold": "Seuil de refus",
        "tile_cost": "Coût métier par demande",
        "tile_cost_note": "de {low} à {high} ; tout accorder : {grant_all}",
        "tile_granted": "Demandes accordées",
        "tile_granted_note": "{missed} défauts accordés, {refused} bons clients refusés",
        "approach": "Préparation et modélisation",
        "preparation": "Les {tables} tables du prêteur ({files} fichiers, {rows} lignes) sont confrontées à leur "
        "contrat ({findings}), nettoyées, puis agrégées à une ligne par demande : {features} variables, dont aucune ne "
        "lit l'issue du prêt. {training} demandes servent à apprendre ; {holdout}, l'échantillon témoin ({share}), "
        "sont mises de côté par un tirage stratifié avant tout apprentissage et évaluées une seule fois.",
        "no_findings": "aucun écart",
        "one_finding": "un écart",
        "findings": "{n} écarts",
        "modelling": "{n} familles concourent : {families}. Toutes voient les mêmes {folds} plis stratifiés et, dans "
        "chaque pli, les mêmes variables ({features} au plus). Imputation, encodage, sélection et rééquilibrage ne "
        "voient que les lignes d'apprentissage du pli. Le coût est celui de la décision : {fn} pour un défaut "
        "accordé, {fp} pour un bon client refusé, au seuil choisi sur les autres plis.",
        "imbalance": "Seules {rate} des demandes finissent en défaut. Contre ce déséquilibre ont été essayés : "
        "{strategies}. {verdicts} Traité ou non, le modèle décide à un seuil qui pèse déjà les deux erreurs.",
        "imbalance_better": "{family} : le coût baisse de plus que le bruit avec {strategies}.",
        "imbalance_same": "{family} : rien n'abaisse le coût de plus que le bruit.",
        "champion": "Parmi les candidats dont le coût ne dépasse celui du moins cher que par le bruit, le champion est "
        "celui dont la perte logarithmique est la plus faible : {name}. Calibration de ses probabilités : "
        "{calibration} (erreur de calibration {before} avant, {after} après). AUC : {train} sur les lignes apprises, "
        "{oof} hors pli, {holdout} sur l'échantillon témoin.",
        "leaderboard": "Candidats, du moins coûteux au plus coûteux : moyenne ± écart-type sur {folds} plis. Écart de "
        "coût au premier, avec son intervalle à 95 %. En gras, le champion.",
        "candidate": "Candidat",
        "auc": "AUC",
        "ap": "Préc. moy.",
        "recall": "Rappel",
        "precision": "Précision",
        "cost": "Coût",
        "difference": "Écart de coût",
        "results": "Décision et coût métier",
        "policy": "Décision",
        "threshold": "Seuil",
        "cost_interval": "Intervalle à 95 %",
        "granted": "Accordées",
        "missed": "Défauts accordés",
        "refused": "Bons refusés",
        "tuned": "seuil optimisé",
        "theoretical": "seuil théorique",
        "half": "seuil 0,5",
        "grant_all": "tout accorder",
        "refuse_all": "tout refuser",
        "policies": "Coût métier par demande sur l'échantillon témoin ({n} demandes, {rate} de défauts).",
        "decision": "Un client est refusé dès que sa probabilité de défaut atteint {threshold}. Ce seuil minimise le "
        "coût des probabilités hors pli ; un autre échantillon l'aurait placé entre {low} et {high}, et de {flat_low} "
        "à {flat_high} le coût reste à {tolerance} près le même. Avec des probabilités calibrées, la théorie dit "
        "{theoretical}.",
        "saving": "Par rapport à tout accorder, le coût baisse de {saving}.",
        "review": "Si une personne regardait les probabilités de {low} à {high} ({rate} des demandes), le coût serait "
        "de {cost} (hypothèses : {price} par dossier, {error} d'erreurs).",
        "money": "En argent ({loss} du crédit perdu sur un défaut, {margin} manqué sur un refus) : {tuned} par demande "
        "au seuil retenu, {grant_all} si tout était accordé.",
        "cost_curve": "Coût selon le seuil. Le seuil est choisi sur les prédictions hors pli (bleu), le coût annoncé "
        "est lu sur l'échantillon témoin (orange).",
        "variables": "Ce qui fait le score",
        "themes": "Par thème, le poids total se partage ainsi : {themes}.",
        "top": "Les variables qui pèsent le plus, et dans quel sens, sur {n} demandes de l'échantillon témoin :",
        "of_weight": "{share} du poids",
        "up": "plus la valeur est haute, plus le risque monte",
        "down": "plus la valeur est haute, plus le risque baisse",
        "later_up": "plus c'est récent, plus le risque monte",
        "later_down": "plus c'est récent, plus le risque baisse",
        "yes_up": "un oui fait monter le risque",
        "yes_down": "un oui fait baisser le risque",
        "mixed": "l'effet dépend du reste du dossier",
        "by_category": "risque le plus haut : {worst} ; le plus bas : {best}",
        "missing": "non renseigné",
        "causality": "Un poids dit ce qui compte dans le modèle, non ce qui cause un défaut.",
        "shap_global": "Contributions SHAP des variables qui pèsent le plus : un point par demande.",
        "local": "Scores de l'échantillon témoin, cause par cause (contributions SHAP en log-cote, sommées par cause, "
        "à la même échelle) : en rouge ce qui pèse contre le client, en bleu ce qui pèse pour lui.",
        "client": "{decision} · client {id}",
        "borderline": "Cas limite, {decision} · client {id}",
        "granted_client": "Accordé",
        "refused_client": "Refusé",
        "probability": "probabilité {p}, seuil {t}",
        "others": "{n} autres causes",
        "stability": "Ajusté à {models} autres échantillons, le modèle garde {overlap} de ses {top} variables les plus "
        "lourdes : lire les thèmes avant les variables.",
        "forbidden": "Attribut que les motifs ne nomment jamais : {attributes} ({share} du poids du modèle ; écarté "
        "des motifs de {withheld} des demandes expliquées).",
        "fairness": "Entre les groupes ({attribute}), les taux d'accord diffèrent de {gap} ; sans cet attribut, de "
        "{blind_gap}, pour un coût de {blind_cost} au lieu de {cost}.",
        "tracking": "Suivi MLflow",
        "tracked": "Chaque exécution est un run MLflow, avec un run enfant par candidat du tableau 1. Le modèle est "
        "enregistré sous le nom {model} ; {promotion}. Empreinte du modèle : {digest}.",
        "promoted_first": "c'est le premier champion",
        "promoted": "il remplace le champion (version {version})",
        "kept": "il reste challenger, le champion (version {version}) étant conservé",
        "promoted_difference": ", écart de coût par demande {difference}",
        "no_screenshot": "Aucune capture de l'interface n'a été prise pour ce run : le tableau 1 reprend ses runs "
        "enfants.",
        "runs_page": "Les candidats du run comparés dans MLflow.",
        "model_page": "Le modèle enregistré et ses alias dans MLflow.",
        "limits": "Limites",
        "limit_synthetic": "Les données sont synthétiques : seule une exécution sur les fichiers réels mesure un "
        "modèle.",
        "limit_time": "Aucune date absolue dans les données : l'échantillon témoin est tiré au sort, pas postérieur.",
        "limit_granted": "Le modèle n'a vu que des demandes acceptées par le passé ; il ne sait rien des autres.",
        "limit_interval": "L'intervalle du coût, large de {width}, tient à {defaults} défauts dans l'échantillon "
        "témoin.",
        "limit_overfit": "L'AUC baisse de {gap} des lignes apprises aux lignes hors pli.",
        "limit_costs": "Le rapport des coûts ({ratio} pour 1) est une hypothèse ; un autre déplacerait le seuil.",
        "limit_law": "Quels attributs un prêteur peut utiliser relève du droit de son pays.",
        "none": "aucune",
        "sigmoid": "sigmoïde",
        "isotonic": "isotonique",
        "and": " et ",
        "colon": "\u00a0: ",
    },
    "en": {
        "title": "Credit scoring: probability of default and the decision of least cost",
        "subtitle": "Report of a run, written from its artefacts alone. Source of the data: {source}.",
        "source_synthetic": "synthetic twin",
        "source_home_credit": "Home Credit",
        "synthetic": "Synthetic data",
        "synthetic_note": "No figure of this report says anything about real clients: it shows that the machinery "
        "works.",
        "suspicious": "Suspicious result",
        "page": "Page {page} of {pages}",
        "figure": "Figure",
        "table": "Table",
        "interval": "from {low} to {high}",
        "tile_auc": "AUC, hold-out",
        "tile_threshold": "Threshold of refusal",
        "tile_cost": "Business cost per application",
        "tile_cost_note": "from {low} to {high}; grant all: {grant_all}",
        "tile_granted": "Applications granted",
        "tile_granted_note": "{missed} defaults granted, {refused} good clients refused",
        "approach": "Preparation and modelling",
        "preparation": "The lender's {tables} tables ({files} files, {rows} rows) are checked against their contract "
        "({findings}), cleaned and aggregated to one row per application: {features} variables, none of which reads "
        "the outcome of the loan. {training} applications are learnt from; {holdout}, the hold-out ({share}), are set "
        "aside by a stratified draw before anything is learnt, and evaluated once.",
        "no_findings": "no finding",
        "one_finding": "one finding",
        "findings": "{n} findings",
        "modelling": "{n} families compete: {families}. All see the same {folds} stratified folds and, inside each, "
        "the same variables ({features} at most). Imputation, encoding, selection and resampling see the training rows "
        "of the fold only. The cost is that of the decision: {fn} for a default that was granted, {fp} for a good "
        "client refused, at the threshold chosen on the other folds.",
        "imbalance": "Only {rate} of the applications end in default. Against this imbalance were tried: {strategies}. "
        "{verdicts} Treated or not, the model decides at a threshold that already weighs the two errors.",
        "imbalance_better": "{family}: the cost falls by more than noise with {strategies}.",
        "imbalance_same": "{family}: nothing lowers the cost by more than noise.",
        "champion": "Among the candidates whose cost exceeds that of the cheapest by noise alone, the champion is the "
        "one of least log loss: {name}. Calibration of its probabilities: {calibration} (calibration error {before} "
        "before, {after} after). AUC: {train} on the rows learnt from, {oof} out of fold, {holdout} on the hold-out.",
        "leaderboard": "Candidates, cheapest first: mean ± standard deviation over {folds} folds. Difference of cost "
        "to the first with its 95% interval. In bold, the champion.",
        "candidate": "Candidate",
        "auc": "AUC",
        "ap": "Avg. prec.",
        "recall": "Recall",
        "precision": "Precision",
        "cost": "Cost",
        "difference": "Difference of cost",
        "results": "Decision and business cost",
        "policy": "Decision",
        "threshold": "Threshold",
        "cost_interval": "95% interval",
        "granted": "Granted",
        "missed": "Defaults granted",
        "refused": "Good refused",
        "tuned": "tuned threshold",
        "theoretical": "theoretical threshold",
        "half": "threshold 0.5",
        "grant_all": "grant all",
        "refuse_all": "refuse all",
        "policies": "Business cost per application on the hold-out ({n} applications, {rate} defaults).",
        "decision": "A client is refused as soon as the probability of default reaches {threshold}. This threshold "
        "minimises the cost of the out-of-fold probabilities; another sample would have put it between {low} and "
        "{high}, and from {flat_low} to {flat_high} the cost is the same within {tolerance}. With calibrated "
        "probabilities the theory says {theoretical}.",
        "saving": "Compared with granting all, the cost falls by {saving}.",
        "review": "If a person looked at probabilities from {low} to {high} ({rate} of applications), the cost would "
        "be {cost} (assumptions: {price} per file, {error} errors).",
        "money": "In money ({loss} of the credit lost at a default, {margin} missed at a refusal): {tuned} per "
        "application at the chosen threshold, {grant_all} if all were granted.",
        "cost_curve": "Cost over the threshold. The threshold is chosen on out-of-fold predictions (blue), the cost "
        "reported is read off the hold-out (orange).",
        "variables": "What makes the score",
        "themes": "By theme, the weight divides so: {themes}.",
        "top": "The variables that weigh most, and in which direction, on {n} applications of the hold-out:",
        "of_weight": "{share} of the weight",
        "up": "the higher the value, the higher the risk",
        "down": "the higher the value, the lower the risk",
        "later_up": "the more recent, the higher the risk",
        "later_down": "the more recent, the lower the risk",
        "yes_up": "a yes raises the risk",
        "yes_down": "a yes lowers the risk",
        "mixed": "the effect depends on the rest of the file",
        "by_category": "highest risk: {worst}; lowest: {best}",
        "missing": "not given",
        "causality": "A weight says what counts in the model, not what causes a default.",
        "shap_global": "SHAP contributions of the variables that weigh most: one point per application.",
        "local": "Scores of the hold-out, cause by cause (SHAP contributions in log-odds, summed by cause, to one "
        "scale): red weighs against the client, blue for the client.",
        "client": "{decision} · client {id}",
        "borderline": "Borderline, {decision} · client {id}",
        "granted_client": "Granted",
        "refused_client": "Refused",
        "probability": "probability {p}, threshold {t}",
        "others": "{n} other causes",
        "stability": "Fitted to {models} other samples, the model keeps {overlap} of its {top} heaviest variables: "
        "read the themes before the variables.",
        "forbidden": "No reason ever names {attributes} ({share} of the model's weight; withheld from the reasons of "
        "{withheld} of the explained applications).",
        "fairness": "Between groups of {attribute} the rates of granting differ by {gap}; without the attribute, by "
        "{blind_gap}, at a cost of {blind_cost} instead of {cost}.",
        "tracking": "MLflow tracking",
        "tracked": "Every run of the project is an MLflow run with a child run per candidate of table 1. The model is "
        "registered as {model}; {promotion}. Digest of the model: {digest}.",
        "promoted_first": "it is the first champion",
        "promoted": "it replaces the champion (version {version})",
        "kept": "it stays challenger, and version {version} champion",
        "promoted_difference": ", difference of cost per application {difference}",
        "no_screenshot": "No screenshot of the interface was taken for this run: table 1 lists its child runs.",
        "runs_page": "The candidates of the run compared in MLflow.",
        "model_page": "The registered model and its aliases in MLflow.",
        "limits": "Limits",
        "limit_synthetic": "The data are synthetic: only a run on the real files measures a model.",
        "limit_time": "The data have no absolute dates: the hold-out is drawn at random, it is not later in time.",
        "limit_granted": "The model has seen only applications that were granted in the past, and knows nothing of "
        "the others.",
        "limit_interval": "The interval of the cost, {width} wide, rests on {defaults} defaults of the hold-out.",
        "limit_overfit": "The AUC falls by {gap} from rows learnt from to rows out of fold.",
        "limit_costs": "The ratio of the costs ({ratio} to 1) is an assumption; another would move the threshold.",
        "limit_law": "Which attributes a lender may use is for the law of the country.",
        "none": "none",
        "sigmoid": "sigmoid",
        "isotonic": "isotonic",
        "and": " and ",
        "colon": ": ",
    },
}

STRATEGIES: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "none": "",
        "class_weight": "poids de classe",
        "smote": "SMOTE",
        "random_over": "suréchantillonnage",
        "random_under": "sous-échantillonnage",
    },
    "en": {
        "none": "",
        "class_weight": "class weight",
        "smote": "SMOTE",
        "random_over": "over-sampling",
        "random_under": "under-sampling",
    },
}
