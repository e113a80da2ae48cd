"""Categories of the data in words."""

from collections.abc import Mapping

from credit_scoring.texts import Language

_CATEGORIES: Mapping[str, str] = {
    "Y": "oui", "N": "non", "Yes": "oui", "No": "non", "F": "femme", "M": "homme",
    "Cash loans": "prêt personnel", "Revolving loans": "crédit renouvelable",
    "Consumer loans": "crédit à la consommation",
    "Children": "enfants", "Family": "famille", "Group of people": "groupe de personnes", "Other_A": "autre (A)",
    "Other_B": "autre (B)", "Spouse, partner": "conjoint", "Unaccompanied": "personne",
    "Working": "salarié", "Commercial associate": "associé commercial", "Pensioner": "retraité",
    "State servant": "fonctionnaire", "Student": "étudiant", "Unemployed": "sans emploi", "Businessman": "entrepreneur",
    "Maternity leave": "congé de maternité",
    "Academic degree": "doctorat", "Higher education": "supérieur", "Incomplete higher": "supérieur inachevé",
    "Lower secondary": "collège", "Secondary / secondary special": "secondaire",
    "Civil marriage": "union civile", "Married": "marié(e)", "Separated": "séparé(e)",
    "Single / not married": "célibataire", "Widow": "veuf ou veuve",
    "Co-op apartment": "appartement en coopérative", "House / apartment": "maison ou appartement",
    "Municipal apartment": "logement municipal", "Office apartment": "logement de fonction",
    "Rented apartment": "locataire", "With parents": "chez ses parents",
    "Accountants": "comptables", "Cleaning staff": "agents d'entretien", "Cooking staff": "personnel de cuisine",
    "Core staff": "employés", "Drivers": "conducteurs", "HR staff": "ressources humaines",
    "High skill tech staff": "techniciens qualifiés", "IT staff": "informaticiens", "Laborers": "ouvriers",
    "Low-skill Laborers": "ouvriers peu qualifiés", "Managers": "cadres", "Medicine staff": "personnel de santé",
    "Private service staff": "services aux particuliers", "Realty agents": "agents immobiliers",
    "Sales staff": "vendeurs", "Secretaries": "secrétaires", "Security staff": "agents de sécurité",
    "Waiters/barmen staff": "serveurs et barmans",
    "MONDAY": "lundi", "TUESDAY": "mardi", "WEDNESDAY": "mercredi", "THURSDAY": "jeudi", "FRIDAY": "vendredi",
    "SATURDAY": "samedi", "SUNDAY": "dimanche",
    "Advertising": "publicité", "Agriculture": "agriculture", "Bank": "banque", "Cleaning": "nettoyage",
    "Construction": "construction", "Culture": "culture", "Electricity": "électricité", "Emergency": "secours",
    "Government": "administration", "Hotel": "hôtellerie", "Housing": "logement", "Insurance": "assurance",
    "Kindergarten": "école maternelle", "Legal Services": "services juridiques", "Medicine": "santé",
    "Military": "armée", "Mobile": "téléphonie mobile", "Other": "autre", "Police": "police", "Postal": "poste",
    "Realtor": "immobilier", "Religion": "religion", "Restaurant": "restauration", "School": "école",
    "Security": "sécurité", "Security Ministries": "ministères de la sécurité", "Self-employed": "indépendant",
    "Services": "services", "Telecom": "télécommunications", "University": "université",
    "Business Entity Type": "entreprise, type", "Industry: type": "industrie, type", "Trade: type": "commerce, type",
    "Transport: type": "transport, type",
    "not specified": "non précisé", "org spec account": "compte spécial d'un organisme",
    "reg oper account": "compte de l'opérateur régional",
    "reg oper spec account": "compte spécial de l'opérateur régional",
    "block of flats": "immeuble collectif", "specific housing": "logement spécifique",
    "terraced house": "maison mitoyenne",
    "Block": "parpaing", "Mixed": "mixte", "Monolithic": "béton coulé", "Others": "autres", "Panel": "panneaux",
    "Stone, brick": "pierre ou brique", "Wooden": "bois",
    "Approved": "acceptée", "Canceled": "annulée", "Refused": "refusée", "Unused offer": "offre non utilisée",
    "Card Street": "carte, démarche du client", "Card X-Sell": "carte, vente croisée", "Cash": "prêt personnel",
    "Cash Street": "prêt personnel, démarche du client, taux", "Cash X-Sell": "prêt personnel, vente croisée, taux",
    "POS household with interest": "équipement du foyer, avec intérêts",
    "POS household without interest": "équipement du foyer, sans intérêts",
    "POS industry with interest": "équipement, avec intérêts",
    "POS industry without interest": "équipement, sans intérêts",
    "POS mobile with interest": "téléphone, avec intérêts", "POS mobile without interest": "téléphone, sans intérêts",
    "POS other with interest": "autre achat, avec intérêts",
    "POS others without interest": "autre achat, sans intérêts",
    "high": "élevé", "middle": "moyen", "low": "bas", "low_action": "bas (promotion)", "low_normal": "bas (normal)",
    "AP+ (Cash loan)": "partenaire (prêt personnel)", "Car dealer": "concessionnaire automobile",
    "Channel of corporate sales": "vente aux entreprises", "Contact center": "centre d'appels",
    "Country-wide": "réseau national", "Credit and cash offices": "agences", "Regional / Local": "réseau régional",
    "Stone": "point de vente fixe",
    "Audio/Video": "audio et vidéo", "Auto Accessories": "accessoires automobiles",
    "Clothing and Accessories": "vêtements et accessoires", "Computers": "ordinateurs",
    "Construction Materials": "matériaux de construction", "Consumer Electronics": "électronique grand public",
    "Direct Sales": "vente directe", "Furniture": "meubles", "Gardening": "jardinage",
    "Homewares": "articles de maison",
    "Jewelry": "bijoux", "Medical Supplies": "matériel médical", "Office Appliances": "matériel de bureau",
    "Photo / Cinema Equipment": "photo et cinéma", "Sport and Leisure": "sport et loisirs", "Tourism": "voyages",
    "Vehicles": "véhicules",
    "CLIENT": "du fait du client", "SYSTEM": "motif du système", "VERIF": "vérification",
}  # fmt: skip
"""Categories of the data, in English, in French. One that ends in a number or after a colon is found without it."""

_ENGLISH: Mapping[str, str] = {"Y": "yes", "N": "no", "F": "female", "M": "male", "Unaccompanied": "nobody"}


def category_label(value: str, language: Language) -> str:
    """Say a category of the data in words; one without words of its own stays as it is."""
    if language == "en":
        return _ENGLISH.get(value, value.lower() if value.isupper() and value.endswith("DAY") else value)
    if value in _CATEGORIES:
        return _CATEGORIES[value]
    head, colon, tail = value.rpartition(": ")
    if colon and head in _CATEGORIES:  # "Cash Street: high"
        return f"{_CATEGORIES[head]} {_CATEGORIES.get(tail, tail)}"
    head, _, tail = value.rpartition(" ")
    return f"{_CATEGORIES[head]} {tail}" if head in _CATEGORIES else value  # "Industry: type 3"
