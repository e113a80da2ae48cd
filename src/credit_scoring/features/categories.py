"""Categories of the data in words."""

from collections.abc import Mapping

from credit_scoring.features.records import Words, in_language
from credit_scoring.texts import Language

_CATEGORIES: Mapping[str, Words] = {
    "Y": ("yes", "oui"), "N": ("no", "non"), "Yes": ("", "oui"), "No": ("", "non"), "F": ("female", "femme"),
    "M": ("male", "homme"),
    "Cash loans": ("cash loan", "prêt personnel"), "Revolving loans": ("revolving loan", "crédit renouvelable"),
    "Consumer loans": ("consumer loan", "crédit à la consommation"),
    "Children": ("", "enfants"), "Family": ("", "famille"), "Group of people": ("", "groupe de personnes"),
    "Other_A": ("other (A)", "autre (A)"),
    "Other_B": ("other (B)", "autre (B)"), "Spouse, partner": ("spouse or partner", "conjoint"),
    "Unaccompanied": ("nobody", "personne"),
    "Working": ("employee", "salarié"), "Commercial associate": ("business partner", "associé commercial"),
    "Pensioner": ("", "retraité"),
    "State servant": ("civil servant", "fonctionnaire"), "Student": ("", "étudiant"),
    "Unemployed": ("", "sans emploi"), "Businessman": ("", "entrepreneur"),
    "Maternity leave": ("", "congé de maternité"),
    "Academic degree": ("", "doctorat"), "Higher education": ("", "supérieur"),
    "Incomplete higher": ("higher education, not completed", "supérieur inachevé"),
    "Lower secondary": ("lower secondary school", "collège"),
    "Secondary / secondary special": ("secondary school", "secondaire"),
    "Civil marriage": ("live-in partner", "union libre"), "Married": ("", "marié(e)"),
    "Separated": ("", "séparé(e)"),
    "Single / not married": ("single", "célibataire"), "Widow": ("", "veuf ou veuve"),
    "Co-op apartment": ("co-operative flat", "appartement en coopérative"),
    "House / apartment": ("house or flat", "maison ou appartement"),
    "Municipal apartment": ("council flat", "logement municipal"),
    "Office apartment": ("company flat", "logement de fonction"),
    "Rented apartment": ("rented flat", "locataire"), "With parents": ("with parents", "chez ses parents"),
    "Accountants": ("", "comptables"), "Cleaning staff": ("", "agents d'entretien"),
    "Cooking staff": ("", "personnel de cuisine"),
    "Core staff": ("", "employés"), "Drivers": ("", "conducteurs"), "HR staff": ("", "ressources humaines"),
    "High skill tech staff": ("skilled technicians", "techniciens qualifiés"), "IT staff": ("", "informaticiens"),
    "Laborers": ("labourers", "ouvriers"),
    "Low-skill Laborers": ("unskilled labourers", "ouvriers peu qualifiés"), "Managers": ("", "cadres"),
    "Medicine staff": ("medical staff", "personnel de santé"),
    "Private service staff": ("", "services aux particuliers"), "Realty agents": ("", "agents immobiliers"),
    "Sales staff": ("", "vendeurs"), "Secretaries": ("", "secrétaires"),
    "Security staff": ("", "agents de sécurité"),
    "Waiters/barmen staff": ("waiters and bar staff", "serveurs et barmans"),
    "MONDAY": ("Monday", "lundi"), "TUESDAY": ("Tuesday", "mardi"), "WEDNESDAY": ("Wednesday", "mercredi"),
    "THURSDAY": ("Thursday", "jeudi"), "FRIDAY": ("Friday", "vendredi"),
    "SATURDAY": ("Saturday", "samedi"), "SUNDAY": ("Sunday", "dimanche"),
    "Advertising": ("", "publicité"), "Agriculture": ("", "agriculture"), "Bank": ("", "banque"),
    "Cleaning": ("", "nettoyage"),
    "Construction": ("", "construction"), "Culture": ("", "culture"), "Electricity": ("", "électricité"),
    "Emergency": ("", "secours"),
    "Government": ("", "administration"), "Hotel": ("", "hôtellerie"), "Housing": ("", "logement"),
    "Insurance": ("", "assurance"),
    "Kindergarten": ("", "école maternelle"), "Legal Services": ("", "services juridiques"),
    "Medicine": ("", "santé"),
    "Military": ("", "armée"), "Mobile": ("", "téléphonie mobile"), "Other": ("", "autre"),
    "Police": ("", "police"), "Postal": ("", "poste"),
    "Realtor": ("", "immobilier"), "Religion": ("", "religion"), "Restaurant": ("", "restauration"),
    "School": ("", "école"),
    "Security": ("", "sécurité"), "Security Ministries": ("", "ministères de la sécurité"),
    "Self-employed": ("", "indépendant"),
    "Services": ("", "services"), "Telecom": ("", "télécommunications"), "University": ("", "université"),
    "Business Entity Type": ("business, type", "entreprise, type"),
    "Industry: type": ("industry, type", "industrie, type"), "Trade: type": ("trade, type", "commerce, type"),
    "Transport: type": ("transport, type", "transport, type"),
    "not specified": ("", "non précisé"),
    "org spec account": ("special account of an organisation", "compte spécial d'un organisme"),
    "reg oper account": ("account of the regional operator", "compte de l'opérateur régional"),
    "reg oper spec account": ("special account of the regional operator", "compte spécial de l'opérateur régional"),
    "block of flats": ("", "immeuble collectif"), "specific housing": ("", "logement spécifique"),
    "terraced house": ("", "maison mitoyenne"),
    "Block": ("", "parpaing"), "Mixed": ("", "mixte"), "Monolithic": ("", "béton coulé"),
    "Others": ("", "autres"), "Panel": ("", "panneaux"),
    "Stone, brick": ("", "pierre ou brique"), "Wooden": ("", "bois"),
    "Approved": ("", "acceptée"), "Canceled": ("cancelled", "annulée"), "Refused": ("", "refusée"),
    "Unused offer": ("", "offre non utilisée"),
    "Card Street": ("card, asked for by the customer", "carte, à la demande du client"),
    "Card X-Sell": ("card, offered by the lender", "carte, proposée par le prêteur"),
    "Cash": ("cash loan", "prêt personnel"),
    "Cash Street": ("cash loan, asked for by the customer, interest rate",
        "prêt personnel, à la demande du client, taux"),
    "Cash X-Sell": ("cash loan, offered by the lender, interest rate", "prêt personnel, proposé par le prêteur, taux"),
    "POS household with interest": ("household goods, with interest", "équipement du foyer, avec intérêts"),
    "POS household without interest": ("household goods, without interest", "équipement du foyer, sans intérêts"),
    "POS industry with interest": ("equipment, with interest", "équipement, avec intérêts"),
    "POS industry without interest": ("equipment, without interest", "équipement, sans intérêts"),
    "POS mobile with interest": ("telephone, with interest", "téléphone, avec intérêts"),
    "POS mobile without interest": ("telephone, without interest", "téléphone, sans intérêts"),
    "POS other with interest": ("other purchase, with interest", "autre achat, avec intérêts"),
    "POS others without interest": ("other purchase, without interest", "autre achat, sans intérêts"),
    "high": ("", "élevé"), "middle": ("medium", "moyen"), "low": ("", "bas"),
    "low_action": ("low (promotion)", "bas (promotion)"), "low_normal": ("low (normal)", "bas (normal)"),
    "AP+ (Cash loan)": ("partner (cash loans)", "partenaire (prêt personnel)"),
    "Car dealer": ("", "concessionnaire automobile"),
    "Channel of corporate sales": ("corporate sales", "vente aux entreprises"),
    "Contact center": ("call centre", "centre d'appels"),
    "Country-wide": ("nationwide network", "réseau national"), "Credit and cash offices": ("branches", "agences"),
    "Regional / Local": ("regional network", "réseau régional"),
    "Stone": ("shop", "point de vente fixe"),
    "Audio/Video": ("audio and video", "audio et vidéo"), "Auto Accessories": ("", "accessoires automobiles"),
    "Clothing and Accessories": ("", "vêtements et accessoires"), "Computers": ("", "ordinateurs"),
    "Construction Materials": ("", "matériaux de construction"),
    "Consumer Electronics": ("", "électronique grand public"),
    "Direct Sales": ("", "vente directe"), "Furniture": ("", "meubles"), "Gardening": ("", "jardinage"),
    "Homewares": ("", "articles de maison"),
    "Jewelry": ("", "bijoux"), "Medical Supplies": ("", "matériel médical"),
    "Office Appliances": ("", "matériel de bureau"),
    "Photo / Cinema Equipment": ("photo and film equipment", "photo et cinéma"),
    "Sport and Leisure": ("", "sport et loisirs"), "Tourism": ("", "voyages"),
    "Vehicles": ("", "véhicules"),
    "CLIENT": ("on the part of the customer", "du fait du client"), "SYSTEM": ("technical reason", "motif technique"),
    "VERIF": ("verification", "vérification"),
    "HC": ("rules of the lender", "règles du prêteur"), "LIMIT": ("credit limit", "plafond de crédit"),
    "SCO": ("score", "score"), "SCOFR": ("score, second check", "score, second contrôle"),
}  # fmt: skip
"""Category of the data -> English, empty where it says what the data say, and French.

One that ends in a number or after a colon is found without it. The data do not explain the codes of a refusal.
"""


def category_label(value: str, language: Language) -> str:
    """Say a category of the data in words; one without words of its own stays as it is."""
    if value in _CATEGORIES:
        said = (
            word if word[:2].isupper() else word.lower() for word in value.split(" ")
        )  # HR staff keeps its capitals
        return in_language(_CATEGORIES[value], language) or " ".join(said)
    head, colon, tail = value.rpartition(": ")
    if colon and head in _CATEGORIES:  # "Cash Street: high"
        return f"{category_label(head, language)} {category_label(tail, language)}"
    head, _, tail = value.rpartition(" ")
    if head in _CATEGORIES and tail.isdigit():  # "Industry: type 3"
        return f"{category_label(head, language)} {tail}"
    return value
