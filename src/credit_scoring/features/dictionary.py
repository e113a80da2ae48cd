"""Meaning of every feature in words, in English and in French, composed from the parts of its name."""

from collections.abc import Mapping
from typing import Literal

from credit_scoring.features.naming import FeatureName, parse_feature_name

Language = Literal["en", "fr"]
Words = tuple[str, str]
"""English, French."""

_SOURCES: Mapping[str, Words] = {
    "APPLICATION": ("Application", "Demande"),
    "BUREAU": ("Credits at other lenders", "Crédits chez d'autres prêteurs"),
    "BUREAU_BALANCE": ("Monthly history at other lenders", "Historique mensuel chez d'autres prêteurs"),
    "PREVIOUS": ("Earlier applications", "Demandes antérieures"),
    "POS_CASH": ("Monthly balances of earlier loans", "Relevés mensuels des prêts antérieurs"),
    "INSTALLMENTS": ("Repayments", "Remboursements"),
    "CREDIT_CARD": ("Credit card", "Carte de crédit"),
}

_AGGREGATES: Mapping[str, Words] = {
    "COUNT": ("number", "nombre"),
    "SUM": ("total", "total"),
    "MEAN": ("mean", "moyenne"),
    "MEDIAN": ("median", "médiane"),
    "MIN": ("minimum", "minimum"),
    "MAX": ("maximum", "maximum"),
    "STD": ("standard deviation", "écart-type"),
    "RANGE": ("range", "étendue"),
    "RATE": ("share", "part"),
    "RATIO": ("ratio", "rapport"),
    "DIFF": ("difference", "différence"),
    "PRODUCT": ("product", "produit"),
    "SLOPE": ("trend per year", "tendance par an"),
    "FLAG": ("yes or no", "oui ou non"),
    "LOG": ("logarithm", "logarithme"),
    "YEARS": ("in years", "en années"),
    "LAST": ("latest", "la plus récente"),
}

_SUBSETS: Mapping[str, Words] = {
    "ACTIVE": ("active only", "actifs seulement"),
    "CLOSED": ("closed only", "clos seulement"),
    "CONSUMER": ("consumer credits", "crédits à la consommation"),
    "CARD": ("credit cards", "cartes de crédit"),
    "CAR": ("car loans", "prêts automobiles"),
    "MORTGAGE": ("mortgages", "prêts immobiliers"),
    "MICROLOAN": ("microloans", "microcrédits"),
    "APPROVED": ("approved only", "acceptées seulement"),
    "REFUSED": ("refused only", "refusées seulement"),
    "RUNNING": ("loans still running", "prêts encore en cours"),
    "CASH": ("cash loans", "prêts personnels"),
    "REVOLVING": ("revolving loans", "crédits renouvelables"),
}

_WINDOW_UNITS: Mapping[str, Words] = {"D": ("days", "jours"), "M": ("months", "mois")}

ARREARS_MEASURES = frozenset({"SOCIAL_CIRCLE"})
"""Measures whose window is a number of days past due rather than a stretch of time before the application."""

_APPLICATION: Mapping[str, Words] = {
    "ADDRESS_MISMATCHES": ("addresses that differ from one another", "adresses qui diffèrent entre elles"),
    "AGE": ("age", "âge"),
    "AGE_AT_END": ("age when the loan ends", "âge à la fin du prêt"),
    "AGE_TO_EXT_SOURCE_3": ("age over external score 3", "âge sur score externe 3"),
    "ANNUITY_TO_BUREAU_MEAN_ANNUITY": (
        "annuity over the mean annuity at other lenders",
        "annuité sur annuité moyenne chez d'autres prêteurs",
    ),
    "ANNUITY_TO_EXT_SOURCE_3": ("annuity over external score 3", "annuité sur score externe 3"),
    "ANNUITY_TO_INCOME": ("annuity over income", "annuité sur revenu"),
    "ANNUITY_TO_MAX_INSTALMENT": (
        "annuity over the largest instalment so far",
        "annuité sur la plus forte échéance passée",
    ),
    "ANNUITY_TO_MEAN_PAYMENT": ("annuity over the mean payment so far", "annuité sur le paiement passé moyen"),
    "ANNUITY_TO_PREVIOUS_MAX_ANNUITY": (
        "annuity over the largest earlier annuity",
        "annuité sur la plus forte annuité antérieure",
    ),
    "ANNUITY_TO_PREVIOUS_MEAN_ANNUITY": (
        "annuity over the mean earlier annuity",
        "annuité sur l'annuité antérieure moyenne",
    ),
    "CAR_TO_AGE": ("age of the car over age of the client", "âge de la voiture sur âge du client"),
    "CAR_TO_EMPLOYED": ("age of the car over time in the job", "âge de la voiture sur ancienneté d'emploi"),
    "CHILDREN_TO_FAMILY": ("children over family members", "enfants sur membres du foyer"),
    "CONTACTS": ("means of contact given", "moyens de contact fournis"),
    "CREDIT_TO_AGE": ("credit over age", "crédit sur âge"),
    "CREDIT_TO_ANNUITY": ("credit over annuity, about the term", "crédit sur annuité, proche de la durée"),
    "CREDIT_TO_BUREAU_DEBT": ("credit over debt at other lenders", "crédit sur dette chez d'autres prêteurs"),
    "CREDIT_TO_BUREAU_MAX_CREDIT": (
        "credit over the largest credit at other lenders",
        "crédit sur le plus fort crédit chez d'autres prêteurs",
    ),
    "CREDIT_TO_BUREAU_MEAN_CREDIT": (
        "credit over the mean credit at other lenders",
        "crédit sur le crédit moyen chez d'autres prêteurs",
    ),
    "CREDIT_TO_CREDIT_CARD_LIMIT": ("credit over the limit of the card", "crédit sur plafond de la carte"),
    "CREDIT_TO_EMPLOYED": ("credit over time in the job", "crédit sur ancienneté d'emploi"),
    "CREDIT_TO_EXT_SOURCE_3": ("credit over external score 3", "crédit sur score externe 3"),
    "CREDIT_TO_GOODS": ("credit over price of the goods", "crédit sur prix du bien"),
    "CREDIT_TO_INCOME": ("credit over income", "crédit sur revenu"),
    "CREDIT_TO_PERSONS": ("credit per family member", "crédit par membre du foyer"),
    "CREDIT_TO_PREVIOUS_MAX_CREDIT": (
        "credit over the largest earlier credit",
        "crédit sur le plus fort crédit antérieur",
    ),
    "CREDIT_TO_PREVIOUS_MEAN_CREDIT": ("credit over the mean earlier credit", "crédit sur le crédit antérieur moyen"),
    "CREDIT_TO_PREVIOUS_REMAINING_PAYMENTS": (
        "credit over the payments still planned on earlier loans",
        "crédit sur paiements restants des prêts antérieurs",
    ),
    "DOCUMENTS": ("documents handed in", "documents fournis"),
    "EMPLOYED_BIRTH": ("age when the job began, in days", "âge au début de l'emploi, en jours"),
    "EMPLOYED_ID_PUBLISH": ("from identity document to job, in days", "de la pièce d'identité à l'emploi, en jours"),
    "EMPLOYED_NULL": ("job date unknown", "date d'emploi inconnue"),
    "EMPLOYED_REGISTRATION": ("from registration to job, in days", "de l'enregistrement à l'emploi, en jours"),
    "EMPLOYED_TO_AGE": ("time in the job over age", "ancienneté d'emploi sur âge"),
    "ENQUIRIES": ("enquiries at the credit bureau", "consultations du fichier de crédit"),
    "EXT_SOURCE": ("external scores", "scores externes"),
    "EXT_SOURCE_1_2": ("external scores 1 and 2", "scores externes 1 et 2"),
    "EXT_SOURCE_1_3": ("external scores 1 and 3", "scores externes 1 et 3"),
    "EXT_SOURCE_2_3": ("external scores 2 and 3", "scores externes 2 et 3"),
    "EXT_SOURCE_1_NULL": ("external score 1 unknown", "score externe 1 inconnu"),
    "EXT_SOURCE_3_NULL": ("external score 3 unknown", "score externe 3 inconnu"),
    "EXT_SOURCE_NULL": ("external scores unknown", "scores externes inconnus"),
    "EXT_SOURCE_WEIGHTED": ("external scores, weighted", "scores externes, pondérés"),
    "FIELDS_NULL": ("fields left empty", "champs non renseignés"),
    "GOODS_CREDIT": ("price of the goods less credit", "prix du bien moins crédit"),
    "GOODS_CREDIT_DIFF_TO_INCOME": (
        "price of the goods less credit, over income",
        "prix du bien moins crédit, sur revenu",
    ),
    "GOODS_TO_ANNUITY": ("price of the goods over annuity", "prix du bien sur annuité"),
    "GOODS_TO_INCOME": ("price of the goods over income", "prix du bien sur revenu"),
    "HOUR_PREVIOUS": ("hour, against earlier applications", "heure, par rapport aux demandes antérieures"),
    "HOUSING": ("indicators of the building", "indicateurs du logement"),
    "HOUSING_NULL": ("indicators of the building unknown", "indicateurs du logement inconnus"),
    "ID_PUBLISH_BIRTH": ("age at the identity document, in days", "âge à la pièce d'identité, en jours"),
    "ID_PUBLISH_TO_AGE": ("age of the identity document over age", "ancienneté de la pièce d'identité sur âge"),
    "INCOME": ("income", "revenu"),
    "INCOME_AFTER_ANNUITY": ("income less a year of annuities", "revenu moins un an d'annuités"),
    "INCOME_TO_ADULTS": ("income per adult", "revenu par adulte"),
    "INCOME_TO_AGE": ("income over age", "revenu sur âge"),
    "INCOME_TO_CHILDREN": ("income per child and one", "revenu par enfant plus un"),
    "INCOME_TO_EMPLOYED": ("income over time in the job", "revenu sur ancienneté d'emploi"),
    "INCOME_TO_EXT_SOURCE_3": ("income over external score 3", "revenu sur score externe 3"),
    "INCOME_TO_PERSONS": ("income per family member", "revenu par membre du foyer"),
    "INTEREST_RATE": ("interest rate that the amounts imply", "taux d'intérêt impliqué par les montants"),
    "INTEREST_RATE_PREVIOUS": (
        "implied interest rate, against earlier loans",
        "taux d'intérêt impliqué, par rapport aux prêts antérieurs",
    ),
    "PHONE_ID_PUBLISH": (
        "from identity document to change of telephone, in days",
        "de la pièce d'identité au changement de téléphone, en jours",
    ),
    "PHONE_TO_AGE": ("time since the change of telephone over age", "ancienneté du téléphone sur âge"),
    "PHONE_TO_EMPLOYED": (
        "time since the change of telephone over time in the job",
        "ancienneté du téléphone sur ancienneté d'emploi",
    ),
    "REGISTRATION_ID_PUBLISH": (
        "from identity document to registration, in days",
        "de la pièce d'identité à l'enregistrement, en jours",
    ),
    "REGISTRATION_TO_AGE": ("time since registration over age", "ancienneté de l'enregistrement sur âge"),
    "SOCIAL_CIRCLE": ("acquaintances in default among those observed", "relations en défaut parmi celles observées"),
    "TERM": ("shortest plausible number of payments", "plus petit nombre plausible de paiements"),
    "TERM_TO_PREVIOUS_MEAN_TERM": ("term over the mean earlier term", "durée sur la durée antérieure moyenne"),
    "TOTAL_ANNUITY_TO_INCOME": (
        "annuities of all loans, this one included, over income",
        "annuités de tous les prêts, celui-ci compris, sur revenu",
    ),
}

_BUREAU: Mapping[str, Words] = {
    "ACTIVE": ("active credits", "crédits actifs"),
    "ANNUITY": ("annuity", "annuité"),
    "ANNUITY_TO_INCOME": ("annuities over income", "annuités sur revenu"),
    "CLOSED": ("closed credits", "crédits clos"),
    "CLOSURE_DAYS": ("day of closure", "jour de clôture"),
    "CREDIT": ("amount of credit", "montant du crédit"),
    "CREDITS": ("credits", "crédits"),
    "CREDITS_365D_TO_ALL": (
        "credits granted over 365 days against all",
        "crédits octroyés sur 365 jours rapportés au total",
    ),
    "CREDIT_TO_INCOME": ("credit over income", "crédit sur revenu"),
    "DAYS_CREDIT": ("day the credit was granted", "jour d'octroi du crédit"),
    "DAYS_CREDIT_TO_AGE": ("length of the credit history over age", "ancienneté de crédit sur âge"),
    "DAYS_CREDIT_TO_EMPLOYED": (
        "length of the credit history over time in the job",
        "ancienneté de crédit sur ancienneté d'emploi",
    ),
    "DAYS_OVERDUE": ("days past due now", "jours de retard actuels"),
    "DEBT": ("debt", "dette"),
    "DEBT_TO_CREDIT": ("debt over amount of credit", "dette sur montant du crédit"),
    "DEBT_TO_INCOME": ("debt over income", "dette sur revenu"),
    "DISTRESSED": ("credits sold or in bad debt", "crédits cédés ou irrécouvrables"),
    "DURATION_DAYS": ("planned duration in days", "durée prévue en jours"),
    "EARLY_CLOSURE_DAYS": ("days closed ahead of plan", "jours de clôture anticipée"),
    "EVER_OVERDUE": ("credits once overdue", "crédits ayant connu un impayé"),
    "GAP_DAYS": ("days between one credit and the next", "jours entre deux crédits successifs"),
    "LIMIT": ("limit of the credit card", "plafond de carte"),
    "MAX_OVERDUE": ("largest amount ever overdue", "plus fort impayé"),
    "MAX_OVERDUE_TO_INCOME": ("largest amount ever overdue over income", "plus fort impayé sur revenu"),
    "OVERDRAWN": ("credits with more debt than credit", "crédits dont la dette dépasse le montant"),
    "OVERDUE": ("amount overdue now", "impayé actuel"),
    "OVERDUE_TO_DEBT": ("amount overdue over debt", "impayé sur dette"),
    "PLANNED_END_DAYS": ("planned day of the end", "jour de fin prévu"),
    "PROLONGATIONS": ("prolongations", "prolongations"),
    "REMAINING_DAYS": ("days left", "jours restants"),
    "STILL_RUNNING": ("credits that end after the application", "crédits finissant après la demande"),
    "TYPES": ("types of credit", "types de crédit"),
    "UNUSED_CREDIT": ("credit less debt", "crédit moins dette"),
    "UPDATE_DAYS": ("day of the last report", "jour de la dernière déclaration"),
}

_BUREAU_BALANCE: Mapping[str, Words] = {
    "CLOSED": ("months closed", "mois clos"),
    "CREDITS": ("credits with a monthly history", "crédits avec historique mensuel"),
    "DECAYED_SEVERITY": ("severity of arrears, recent months weigh more", "gravité des retards, pondérée par récence"),
    "LATE": ("months past due", "mois en retard"),
    "LATE_MONTHS_BALANCE": ("month past due", "mois en retard (date)"),
    "MONTHS": ("months of history", "mois d'historique"),
    "MONTHS_BALANCE": ("month reported", "mois déclaré"),
    "SERIOUSLY_LATE": ("months over 30 days past due", "mois à plus de 30 jours de retard"),
    "SEVERITY": ("severity of arrears from 0 to 5", "gravité des retards de 0 à 5"),
    "UNKNOWN": ("months of unknown status", "mois de statut inconnu"),
}

_PREVIOUS: Mapping[str, Words] = {
    "ANNUITY": ("annuity", "annuité"),
    "ANNUITY_TO_INCOME": ("annuities over income", "annuités sur revenu"),
    "APPLICATIONS": ("applications", "demandes"),
    "APPROVED": ("approved applications", "demandes acceptées"),
    "CANCELED": ("canceled applications", "demandes annulées"),
    "CHANNEL_TYPE": ("sales channel", "canal de vente"),
    "CONTRACT_STATUS": ("outcome", "issue"),
    "CONTRACT_TYPE": ("type of contract", "type de contrat"),
    "CREDIT": ("credit granted", "crédit accordé"),
    "CREDIT_TO_ANNUITY": ("credit over annuity", "crédit sur annuité"),
    "CROSS_SELL": ("applications by cross-selling", "demandes par vente croisée"),
    "DAYS_DECISION": ("day of decision", "jour de décision"),
    "DAYS_DECISION_TO_AGE": ("time since the first application over age", "ancienneté de client sur âge"),
    "DOWN_PAYMENT": ("down payment", "apport"),
    "DOWN_PAYMENT_SHARE": ("down payment over price", "apport sur prix"),
    "EARLY_END_DAYS": ("days ended ahead of plan", "jours de fin anticipée"),
    "FIRST_DUE_DAYS": ("day first due", "jour de première échéance"),
    "GOODS_CATEGORY": ("category of goods", "catégorie de bien"),
    "HIGH_YIELD": ("applications at a high interest rate", "demandes à taux élevé"),
    "HOUR": ("hour of application", "heure de la demande"),
    "INSURED": ("insured applications", "demandes assurées"),
    "INTEREST_RATE": ("interest rate per year", "taux d'intérêt annuel"),
    "INTEREST_SHARE": ("total interest over credit", "intérêt total sur crédit"),
    "LAST_DUE_DAYS": ("day last due", "jour de dernière échéance"),
    "LOW_YIELD": ("applications at a low interest rate", "demandes à taux bas"),
    "MISTAKEN": ("applications made by mistake", "demandes faites par erreur"),
    "NEXT_YEAR_PAYMENTS": ("payments planned in the next year", "paiements prévus dans l'année"),
    "PLANNED_END_DAYS": ("planned day of the end", "jour de fin prévu"),
    "PRODUCT_COMBINATION": ("product", "produit"),
    "REFUSED": ("refused applications", "demandes refusées"),
    "REFUSED_365D_TO_ALL": (
        "share refused over 365 days against all",
        "part refusée sur 365 jours rapportée au total",
    ),
    "REJECTED_HC": ("refusals for reason HC", "refus pour motif HC"),
    "REJECTED_LIMIT": ("refusals for reason LIMIT", "refus pour motif LIMIT"),
    "REJECTED_SCO": ("refusals for reason SCO", "refus pour motif SCO"),
    "REJECTED_SCOFR": ("refusals for reason SCOFR", "refus pour motif SCOFR"),
    "REJECT_REASON": ("reason of refusal", "motif de refus"),
    "REMAINING_MONTHS": ("months still planned", "mois restant prévus"),
    "REMAINING_PAYMENTS": ("payments still planned", "paiements restant prévus"),
    "REMAINING_PAYMENTS_TO_INCOME": ("payments still planned over income", "paiements restant prévus sur revenu"),
    "REQUESTED": ("amount requested", "montant demandé"),
    "REQUESTED_CREDIT_GAP": ("amount requested less credit", "montant demandé moins crédit"),
    "REQUESTED_TO_CREDIT": ("amount requested over credit", "montant demandé sur crédit"),
    "RUNNING": ("loans still running", "prêts encore en cours"),
    "SELLER_AREA": ("selling area of the shop", "surface de vente du magasin"),
    "TERM": ("number of payments", "nombre de paiements"),
    "TERMINATION_DAYS": ("day of termination", "jour de clôture"),
    "UNUSED": ("offers not used", "offres non utilisées"),
    "WALK_IN": ("applications by walk-in clients", "demandes spontanées"),
    "YIELD_GROUP": ("interest rate group", "groupe de taux"),
}

_POS_CASH: Mapping[str, Words] = {
    "ACTIVE": ("months active", "mois actifs"),
    "COMPLETED": ("loans completed", "prêts terminés"),
    "COMPLETED_EARLY": ("loans completed on a shortened term", "prêts terminés par anticipation"),
    "DPD": ("days past due", "jours de retard"),
    "DPD_6M_TO_24M": (
        "days past due over 6 months against 24",
        "jours de retard sur 6 mois rapportés à 24",
    ),
    "DPD_DEF": ("days past due, small debts left out", "jours de retard, hors petites dettes"),
    "DPD_TREND": ("trend of days past due by loan", "tendance des jours de retard par prêt"),
    "LATE": ("months past due", "mois en retard"),
    "LATE_MONTHS": ("months past due", "mois en retard"),
    "LATE_MONTHS_BALANCE": ("month past due", "mois en retard (date)"),
    "LOANS": ("loans", "prêts"),
    "MONTHS": ("months of history", "mois d'historique"),
    "MONTHS_BALANCE": ("month reported", "mois déclaré"),
    "REMAINING": ("instalments left", "échéances restantes"),
    "REMAINING_TO_TERM": ("instalments left over term", "échéances restantes sur durée"),
    "SERIOUSLY_LATE": ("months past due, small debts left out", "mois en retard, hors petites dettes"),
    "SIGNED": ("months signed and not begun", "mois signés non commencés"),
    "TERM": ("number of instalments", "nombre d'échéances"),
    "TERM_CHANGE": ("instalments that the term was shortened by", "échéances de raccourcissement"),
    "TROUBLED": ("months of demand or return of the goods", "mois de mise en demeure ou de retour du bien"),
}

_INSTALLMENTS: Mapping[str, Words] = {
    "DBD": ("days paid ahead", "jours d'avance"),
    "DECAYED_DPD": ("days late, recent ones weigh more", "jours de retard, pondérés par récence"),
    "DELAY": ("days from due date to payment", "jours entre échéance et paiement"),
    "DPD": ("days late", "jours de retard"),
    "DPD_60D_TO_365D": (
        "days late over 60 days against 365",
        "jours de retard sur 60 jours rapportés à 365",
    ),
    "ENTRY_DAYS": ("day of payment", "jour de paiement"),
    "FIRST_INSTALMENTS_LATE": ("first four instalments paid late", "quatre premières échéances payées en retard"),
    "INSTALMENT": ("amount of the instalment", "montant de l'échéance"),
    "INSTALMENTS": ("instalments", "échéances"),
    "LATE": ("instalments paid late", "échéances payées en retard"),
    "LATE_365D_TO_ALL": (
        "share paid late over 365 days against all",
        "part en retard sur 365 jours rapportée au total",
    ),
    "LATE_DUE_DAYS": ("due date of an instalment paid late", "échéance payée en retard (date)"),
    "LATE_OVER_30_DAYS": (
        "instalments paid over 30 days late",
        "échéances payées avec plus de 30 jours de retard",
    ),
    "LEFT_TO_PAY": ("payments planned less payments made", "paiements prévus moins paiements faits"),
    "LEFT_TO_PAY_TO_INCOME": (
        "payments planned less payments made, over income",
        "paiements prévus moins paiements faits, sur revenu",
    ),
    "LOANS": ("loans", "prêts"),
    "LOAN_FIRST_LATE_SHARE": (
        "share of the first four instalments paid late, by loan",
        "part en retard des quatre premières échéances, par prêt",
    ),
    "LOAN_LATE_SHARE": ("share paid late, by loan", "part en retard, par prêt"),
    "LOAN_MEAN_DPD": ("mean days late, by loan", "jours de retard moyens, par prêt"),
    "LOAN_PAID_SHARE": ("payments over instalments, by loan", "paiements sur échéances, par prêt"),
    "LOAN_PAYMENT_TO_INSTALMENT": ("payment over instalment, by loan", "paiement sur échéance, par prêt"),
    "LOAN_REPAID_SHARE": ("payments over credit, by loan", "paiements sur crédit, par prêt"),
    "LOAN_WORST_DPD": ("worst days late, by loan", "pire retard en jours, par prêt"),
    "PAYMENT": ("amount paid", "montant payé"),
    "PAYMENT_TO_INCOME": ("amount paid over income", "montant payé sur revenu"),
    "PAYMENT_TO_INSTALMENT": ("payment over instalment", "paiement sur échéance"),
    "REMAINING_DEBT": ("credit less payments made", "crédit moins paiements faits"),
    "REMAINING_DEBT_TO_INCOME": (
        "credit less payments made, over income",
        "crédit moins paiements faits, sur revenu",
    ),
    "SHORTFALL": ("amount left unpaid", "montant resté impayé"),
    "SHORTFALL_TO_INCOME": ("amount left unpaid over income", "montant resté impayé sur revenu"),
    "UNDERPAID": ("instalments paid in part", "échéances payées partiellement"),
    "UNPAID": ("instalments not paid at all", "échéances non payées"),
    "VERSION": ("version of the schedule", "version de l'échéancier"),
}

_CREDIT_CARD: Mapping[str, Words] = {
    "ACTIVE": ("months active", "mois actifs"),
    "ATM_DRAWINGS": ("cash drawn", "retraits d'espèces"),
    "ATM_DRAWINGS_NUMBER": ("number of cash drawings by month", "nombre mensuel de retraits"),
    "ATM_DRAWINGS_TO_DRAWINGS": ("cash drawn over all drawings", "retraits d'espèces sur tirages"),
    "ATM_USED": ("months with cash drawn", "mois avec retrait d'espèces"),
    "BALANCE": ("balance owed", "solde dû"),
    "BALANCE_3M_TO_12M": ("balance owed over 3 months against 12", "solde dû sur 3 mois rapporté à 12"),
    "BALANCE_CHANGE": ("change of balance from one month to the next", "variation mensuelle du solde"),
    "BALANCE_TO_INCOME": ("balance owed over income", "solde dû sur revenu"),
    "CARDS": ("cards at once", "cartes simultanées"),
    "DPD": ("days past due", "jours de retard"),
    "DPD_DEF": ("days past due, small debts left out", "jours de retard, hors petites dettes"),
    "DRAWINGS": ("amount drawn", "montant tiré"),
    "DRAWINGS_3M_TO_12M": ("amount drawn over 3 months against 12", "montant tiré sur 3 mois rapporté à 12"),
    "DRAWINGS_NUMBER": ("number of drawings by month", "nombre mensuel de tirages"),
    "DRAWINGS_TO_INCOME": ("amount drawn over income", "montant tiré sur revenu"),
    "DRAWINGS_TO_LIMIT": ("amount drawn over limit", "montant tiré sur plafond"),
    "DRAWN": ("months with a drawing", "mois avec tirage"),
    "LATE": ("months past due", "mois en retard"),
    "LATE_MONTHS_BALANCE": ("month past due", "mois en retard (date)"),
    "LIMIT": ("limit", "plafond"),
    "MATURE_INSTALMENTS": ("instalments paid", "échéances payées"),
    "MINIMUM_MISSED": ("months below the minimum payment", "mois sous le paiement minimal"),
    "MONTHS": ("months of history", "mois d'historique"),
    "MONTHS_BALANCE": ("month reported", "mois déclaré"),
    "OVER_80_PERCENT": ("months over 80% of the limit", "mois au-delà de 80 % du plafond"),
    "OVER_90_PERCENT_MONTHS_BALANCE": ("month over 90% of the limit", "mois au-delà de 90 % du plafond (date)"),
    "OVER_LIMIT": ("months over the limit", "mois au-delà du plafond"),
    "PAYMENT": ("payment", "paiement"),
    "PAYMENT_MINIMUM_GAP": ("payment less minimum", "paiement moins minimum"),
    "PAYMENT_TO_MINIMUM": ("payment over minimum", "paiement sur minimum"),
    "PRINCIPAL_TO_RECEIVABLE": ("principal over receivable", "principal sur créance"),
    "SERIOUSLY_LATE": ("months past due, small debts left out", "mois en retard, hors petites dettes"),
    "UTILISATION": ("balance over limit", "solde sur plafond"),
}

_MEASURES: Mapping[str, Mapping[str, Words]] = {
    "APPLICATION": _APPLICATION,
    "BUREAU": _BUREAU,
    "BUREAU_BALANCE": _BUREAU_BALANCE,
    "PREVIOUS": _PREVIOUS,
    "POS_CASH": _POS_CASH,
    "INSTALLMENTS": _INSTALLMENTS,
    "CREDIT_CARD": _CREDIT_CARD,
}

_RAW: Mapping[str, Words] = {
    "NAME_CONTRACT_TYPE": ("type of loan, cash or revolving", "type de prêt, personnel ou renouvelable"),
    "CODE_GENDER": ("gender", "sexe"),
    "FLAG_OWN_CAR": ("owns a car", "possède une voiture"),
    "FLAG_OWN_REALTY": ("owns a house or a flat", "possède une maison ou un appartement"),
    "NAME_TYPE_SUITE": ("who came along to apply", "personne qui accompagnait le client"),
    "NAME_INCOME_TYPE": ("kind of income", "type de revenu"),
    "NAME_EDUCATION_TYPE": ("highest education", "niveau d'études"),
    "NAME_FAMILY_STATUS": ("family status", "situation de famille"),
    "NAME_HOUSING_TYPE": (
        "housing, such as tenant or with parents",
        "logement, par exemple locataire ou chez ses parents",
    ),
    "OCCUPATION_TYPE": ("occupation", "profession"),
    "WEEKDAY_APPR_PROCESS_START": ("day of the week of the application", "jour de la semaine de la demande"),
    "ORGANIZATION_TYPE": ("type of employer", "type d'employeur"),
    "FONDKAPREMONT_MODE": ("fund that pays for repairs of the building", "fonds qui finance les travaux de l'immeuble"),
    "HOUSETYPE_MODE": ("type of building", "type d'immeuble"),
    "WALLSMATERIAL_MODE": ("material of the walls", "matériau des murs"),
    "EMERGENCYSTATE_MODE": ("building in a state of emergency", "immeuble déclaré en péril"),
    "CNT_CHILDREN": ("number of children", "nombre d'enfants"),
    "AMT_INCOME_TOTAL": ("declared income", "revenu déclaré"),
    "AMT_CREDIT": ("amount of the credit applied for", "montant du crédit demandé"),
    "AMT_ANNUITY": ("annuity of the loan, one regular repayment", "annuité du prêt, une échéance"),
    "AMT_GOODS_PRICE": ("price of the goods to be financed", "prix du bien à financer"),
    "REGION_POPULATION_RELATIVE": (
        "population of the region of residence, relative",
        "population de la région de résidence, en valeur relative",
    ),
    "DAYS_BIRTH": ("date of birth, in days before the application", "date de naissance, en jours avant la demande"),
    "DAYS_EMPLOYED": (
        "start of the present job, in days before the application",
        "début de l'emploi actuel, en jours avant la demande",
    ),
    "DAYS_REGISTRATION": (
        "last change of registration, in days before the application",
        "dernier changement d'enregistrement, en jours avant la demande",
    ),
    "DAYS_ID_PUBLISH": (
        "last change of the identity document, in days before the application",
        "dernier changement de pièce d'identité, en jours avant la demande",
    ),
    "OWN_CAR_AGE": ("age of the car, in years", "âge de la voiture, en années"),
    "FLAG_EMP_PHONE": ("gave a telephone number of the employer", "a fourni le téléphone de l'employeur"),
    "FLAG_WORK_PHONE": ("gave a telephone number at work", "a fourni un téléphone professionnel"),
    "FLAG_CONT_MOBILE": ("could be reached by mobile telephone", "joignable sur son téléphone mobile"),
    "FLAG_PHONE": ("gave a telephone number at home", "a fourni un téléphone fixe"),
    "FLAG_EMAIL": ("gave an e-mail address", "a fourni une adresse électronique"),
    "CNT_FAM_MEMBERS": ("number of family members", "nombre de membres du foyer"),
    "REGION_RATING_CLIENT": (
        "lender's rating of the region, 1 best to 3 worst",
        "note de la région par le prêteur, de 1 (meilleure) à 3",
    ),
    "REGION_RATING_CLIENT_W_CITY": (
        "lender's rating of the region and city, 1 best to 3 worst",
        "note de la région et de la ville par le prêteur, de 1 (meilleure) à 3",
    ),
    "HOUR_APPR_PROCESS_START": ("hour of the application", "heure de la demande"),
    "REG_REGION_NOT_LIVE_REGION": (
        "registered in another region than that of the contact address",
        "enregistré dans une autre région que celle de l'adresse de contact",
    ),
    "REG_REGION_NOT_WORK_REGION": (
        "registered in another region than that of the work address",
        "enregistré dans une autre région que celle du travail",
    ),
    "LIVE_REGION_NOT_WORK_REGION": (
        "contact address in another region than that of the work address",
        "adresse de contact dans une autre région que celle du travail",
    ),
    "REG_CITY_NOT_LIVE_CITY": (
        "registered in another city than that of the contact address",
        "enregistré dans une autre ville que celle de l'adresse de contact",
    ),
    "REG_CITY_NOT_WORK_CITY": (
        "registered in another city than that of the work address",
        "enregistré dans une autre ville que celle du travail",
    ),
    "LIVE_CITY_NOT_WORK_CITY": (
        "contact address in another city than that of the work address",
        "adresse de contact dans une autre ville que celle du travail",
    ),
    "EXT_SOURCE_1": ("external score 1", "score externe 1"),
    "EXT_SOURCE_2": ("external score 2", "score externe 2"),
    "EXT_SOURCE_3": ("external score 3", "score externe 3"),
    "APARTMENTS_AVG": ("building: size of the flats, from 0 to 1", "immeuble : taille des appartements, de 0 à 1"),
    "BASEMENTAREA_AVG": ("building: area of the basement, from 0 to 1", "immeuble : surface du sous-sol, de 0 à 1"),
    "YEARS_BEGINEXPLUATATION_AVG": (
        "building: time since it is in use, from 0 to 1",
        "immeuble : ancienneté de mise en service, de 0 à 1",
    ),
    "YEARS_BUILD_AVG": (
        "building: time since it was built, from 0 to 1",
        "immeuble : ancienneté de construction, de 0 à 1",
    ),
    "COMMONAREA_AVG": ("building: common area, from 0 to 1", "immeuble : parties communes, de 0 à 1"),
    "ELEVATORS_AVG": ("building: lifts, from 0 to 1", "immeuble : ascenseurs, de 0 à 1"),
    "ENTRANCES_AVG": ("building: entrances, from 0 to 1", "immeuble : entrées, de 0 à 1"),
    "FLOORSMAX_AVG": (
        "building: highest number of floors, from 0 to 1",
        "immeuble : nombre maximal d'étages, de 0 à 1",
    ),
    "FLOORSMIN_AVG": ("building: lowest number of floors, from 0 to 1", "immeuble : nombre minimal d'étages, de 0 à 1"),
    "LANDAREA_AVG": ("building: area of the plot, from 0 to 1", "immeuble : surface du terrain, de 0 à 1"),
    "LIVINGAPARTMENTS_AVG": ("building: flats lived in, from 0 to 1", "immeuble : appartements habités, de 0 à 1"),
    "LIVINGAREA_AVG": ("building: area lived in, from 0 to 1", "immeuble : surface habitée, de 0 à 1"),
    "NONLIVINGAPARTMENTS_AVG": (
        "building: flats not lived in, from 0 to 1",
        "immeuble : appartements non habités, de 0 à 1",
    ),
    "NONLIVINGAREA_AVG": ("building: area not lived in, from 0 to 1", "immeuble : surface non habitée, de 0 à 1"),
    "TOTALAREA_MODE": ("building: total area, from 0 to 1", "immeuble : surface totale, de 0 à 1"),
    "OBS_30_CNT_SOCIAL_CIRCLE": (
        "acquaintances who could be observed past due by 30 days",
        "relations dont un retard de 30 jours était observable",
    ),
    "DEF_30_CNT_SOCIAL_CIRCLE": (
        "acquaintances who defaulted, past due by 30 days",
        "relations en défaut, avec 30 jours de retard",
    ),
    "OBS_60_CNT_SOCIAL_CIRCLE": (
        "acquaintances who could be observed past due by 60 days",
        "relations dont un retard de 60 jours était observable",
    ),
    "DEF_60_CNT_SOCIAL_CIRCLE": (
        "acquaintances who defaulted, past due by 60 days",
        "relations en défaut, avec 60 jours de retard",
    ),
    "DAYS_LAST_PHONE_CHANGE": (
        "last change of telephone, in days before the application",
        "dernier changement de téléphone, en jours avant la demande",
    ),
    **{
        f"FLAG_DOCUMENT_{number}": (f"handed in document {number}", f"a fourni le document {number}")
        for number in range(2, 22)
    },
    "AMT_REQ_CREDIT_BUREAU_HOUR": (
        "enquiries at the credit bureau, hour before",
        "consultations du fichier de crédit, heure précédente",
    ),
    "AMT_REQ_CREDIT_BUREAU_DAY": (
        "enquiries at the credit bureau, day before",
        "consultations du fichier de crédit, jour précédent",
    ),
    "AMT_REQ_CREDIT_BUREAU_WEEK": (
        "enquiries at the credit bureau, week before",
        "consultations du fichier de crédit, semaine précédente",
    ),
    "AMT_REQ_CREDIT_BUREAU_MON": (
        "enquiries at the credit bureau, month before",
        "consultations du fichier de crédit, mois précédent",
    ),
    "AMT_REQ_CREDIT_BUREAU_QRT": (
        "enquiries at the credit bureau, quarter before",
        "consultations du fichier de crédit, trimestre précédent",
    ),
    "AMT_REQ_CREDIT_BUREAU_YEAR": (
        "enquiries at the credit bureau, year before",
        "consultations du fichier de crédit, année précédente",
    ),
}
"""Columns of the application form that are features as they are."""

_LEARNT: Mapping[str, Words] = {
    "TARGET_KNN_MEAN": ("default rate of similar applicants", "taux de défaut des demandeurs semblables"),
    "OCCUPATION_TYPE_TARGET_RATE": ("default rate of the occupation", "taux de défaut de la profession"),
    "ORGANIZATION_TYPE_TARGET_RATE": (
        "default rate of the type of employer",
        "taux de défaut du type d'employeur",
    ),
}
"""Features that a model learns from outcomes."""

_SEEN_IN_THE_VALUE = frozenset({"RATIO", "DIFF", "FLAG", "YEARS"})

_HISTORY_FLAG: Words = ("has a history", "possède un historique")


def describe_feature(name: str, language: Language = "en") -> str:
    """Say in words what a feature holds.

    Args:
        name: Name of an engineered feature, of a HAS_<SOURCE> flag, or of a column of the application form.
        language: `en` or `fr`.

    Returns:
        Such as "Repayments: instalments paid late, share, last 365 days".

    Raises:
        ValueError: If the name does not follow the grammar, or has a part without words.
    """
    source, subject = _describe(name, language, with_aggregate=True)
    return f"{source}{' : ' if language == 'fr' else ': '}{subject}"


def describe_subject(name: str, language: Language = "en") -> Words:
    """Say where a feature comes from and what it holds, as short as a reader who sees its value needs it.

    What the value shows by itself is left out: that it is a ratio, a difference, a yes or no, a number of years.

    Args:
        name: As of `describe_feature`, or a feature that a model learns from outcomes.
        language: `en` or `fr`.

    Returns:
        Source and subject, such as "Repayments" and "instalments paid late, share, last 365 days".

    Raises:
        ValueError: As `describe_feature`.
    """
    return _describe(name, language, with_aggregate=False)


def _describe(name: str, language: Language, with_aggregate: bool) -> Words:
    side = ("en", "fr").index(language)
    for words in (_RAW, _LEARNT):
        if name in words:
            return _SOURCES["APPLICATION"][side], words[name][side]
    flagged = name.removeprefix("HAS_")
    if flagged != name and flagged in _SOURCES:
        return _SOURCES[flagged][side], _HISTORY_FLAG[side]
    parts = parse_feature_name(name)
    words_of_measure = _MEASURES[parts.source].get(parts.measure)
    if words_of_measure is None:
        raise ValueError(
            f"The measure {parts.measure!r} of {name!r} has no words.\n"
            f"Hint: add it to the dictionary of {parts.source} measures in {__name__}."
        )
    details = [words_of_measure[side]]
    if with_aggregate or parts.aggregate not in _SEEN_IN_THE_VALUE:
        details.append(_AGGREGATES[parts.aggregate][side])
    if parts.subset:
        details.append(_SUBSETS[parts.subset][side])
    if parts.window:
        details.append(_describe_window(parts, side))
    return _SOURCES[parts.source][side], ", ".join(details)


def label_feature(name: str, language: Language = "en") -> str:
    """Say what a feature holds, without its source: "Instalments paid late, share, last 365 days"."""
    words = describe_feature(name, language).partition(":")[2].strip()
    return words[0].upper() + words[1:]


def _describe_window(parts: FeatureName, side: int) -> str:
    if parts.window.startswith("LAST_"):
        last = int(parts.window.removeprefix("LAST_"))
        if last == 1:
            return ("last one", "le dernier")[side]
        return (f"last {last}", f"les {last} derniers")[side]
    length, unit = parts.window[:-1], _WINDOW_UNITS[parts.window[-1]][side]
    if parts.measure in ARREARS_MEASURES:
        return (f"{length} {unit} past due", f"{length} {unit} de retard")[side]
    return (f"last {length} {unit}", f"{length} derniers {unit}")[side]
