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
    "Civil marriage": "union libre", "Married": "marié(e)", "Separated": "séparé(e)",
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
    "Card Street": "carte, à la demande du client", "Card X-Sell": "carte, proposée par le prêteur",
    "Cash": "prêt personnel", "Cash Street": "prêt personnel, à la demande du client, taux",
    "Cash X-Sell": "prêt personnel, proposé par le prêteur, taux",
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
    "CLIENT": "du fait du client", "SYSTEM": "motif technique", "VERIF": "vérification",
    "HC": "règles du prêteur", "LIMIT": "plafond de crédit", "SCO": "score", "SCOFR": "score, second contrôle",
}  # fmt: skip
"""Categories of the data, in English, in French. One that ends in a number or after a colon is found without it."""

_ENGLISH: Mapping[str, str] = {
    "Y": "yes", "N": "no", "F": "female", "M": "male", "Unaccompanied": "nobody",
    "Other_A": "other (A)", "Other_B": "other (B)", "Spouse, partner": "spouse or partner",
    "Working": "employee", "Commercial associate": "business partner", "State servant": "civil servant",
    "Incomplete higher": "higher education, not completed", "Lower secondary": "lower secondary school",
    "Secondary / secondary special": "secondary school",
    "Civil marriage": "live-in partner", "Single / not married": "single",
    "Co-op apartment": "co-operative flat", "House / apartment": "house or flat", "Municipal apartment": "council flat",
    "Office apartment": "company flat", "Rented apartment": "rented flat", "With parents": "with parents",
    "High skill tech staff": "skilled technicians", "Low-skill Laborers": "unskilled labourers",
    "Laborers": "labourers", "Waiters/barmen staff": "waiters and bar staff",
    "Business Entity Type": "business, type", "Industry: type": "industry, type", "Trade: type": "trade, type",
    "Transport: type": "transport, type",
    "org spec account": "special account of an organisation", "reg oper account": "account of the regional operator",
    "reg oper spec account": "special account of the regional operator",
    "Card Street": "card, asked for by the customer", "Card X-Sell": "card, offered by the lender",
    "Cash": "cash loan", "Cash Street": "cash loan, asked for by the customer, interest rate",
    "Cash X-Sell": "cash loan, offered by the lender, interest rate",
    "POS household with interest": "household goods, with interest",
    "POS household without interest": "household goods, without interest",
    "POS industry with interest": "equipment, with interest",
    "POS industry without interest": "equipment, without interest",
    "POS mobile with interest": "telephone, with interest",
    "POS mobile without interest": "telephone, without interest",
    "POS other with interest": "other purchase, with interest",
    "POS others without interest": "other purchase, without interest",
    "middle": "medium", "low_action": "low (promotion)", "low_normal": "low (normal)",
    "AP+ (Cash loan)": "partner (cash loans)", "Channel of corporate sales": "corporate sales",
    "Contact center": "call centre", "Country-wide": "nationwide network", "Credit and cash offices": "branches",
    "Regional / Local": "regional network", "Stone": "shop",
    "Audio/Video": "audio and video", "Photo / Cinema Equipment": "photo and film equipment",
    "CLIENT": "on the part of the customer", "SYSTEM": "technical reason", "VERIF": "verification",
    "HC": "rules of the lender", "LIMIT": "credit limit", "SCO": "score", "SCOFR": "score, second check",
}  # fmt: skip
"""What English says other than the data, as `_CATEGORIES`. The data do not explain the codes of a refusal."""


def category_label(value: str, language: Language) -> str:
    """Say a category of the data in words; one without words of its own stays as it is."""
    words = _ENGLISH if language == "en" else _CATEGORIES
    if value in words:
        return words[value]
    head, colon, tail = value.rpartition(": ")
    if colon and head in words:  # "Cash Street: high"
        return f"{words[head]} {words.get(tail, tail)}"
    head, _, tail = value.rpartition(" ")
    if head in words and tail.isdigit():  # "Industry: type 3"
        return f"{words[head]} {tail}"
    return value.lower() if language == "en" and value.endswith("DAY") else value
