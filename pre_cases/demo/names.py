"""Names of invented people and places, and the chances drawn over them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from random import Random
from typing import TypeVar

T = TypeVar("T")

GIRLS = [
    "Inès", "Aïcha", "Camille", "Louise", "Fatou", "Maëlys", "Sarah", "Jade", "Aminata", "Léa", "Nour", "Chloé",
    "Mariam", "Manon", "Yasmine", "Emma", "Awa", "Alice", "Lina", "Juliette", "Khadija", "Zoé", "Hawa", "Anaïs",
    "Salma", "Clara", "Assia", "Éléonore", "Coumba", "Rose", "Meriem", "Eva", "Djénéba", "Lucie", "Rania", "Ambre",
    "Safia", "Margaux", "Kadiatou", "Célia", "Mei", "Noémie", "Hafsa", "Agathe", "Sokhna", "Victoire", "Imane",
    "Elsa", "Oumou", "Romane", "Leïla", "Capucine", "Amina", "Nina", "Thi-Lan", "Solène", "Soraya", "Marie", "Priya",
    "Apolline", "Dounia", "Héloïse", "Bintou", "Lison", "Selma", "Mathilde", "Nadia", "Iris", "Rokia", "Olivia",
]  # fmt: skip
BOYS = [
    "Adam", "Moussa", "Gabriel", "Yanis", "Louis", "Ibrahim", "Lucas", "Mamadou", "Raphaël", "Rayan", "Jules",
    "Amadou", "Hugo", "Ilyès", "Arthur", "Bilal", "Ethan", "Ousmane", "Léo", "Mehdi", "Nathan", "Sekou", "Maël",
    "Younès", "Paul", "Cheikh", "Théo", "Amine", "Noé", "Souleymane", "Tom", "Ismaël", "Liam", "Boubacar", "Sacha",
    "Karim", "Gaspard", "Abdoulaye", "Timéo", "Sofiane", "Éloi", "Demba", "Axel", "Hamza", "Marius", "Lassana",
    "Malo", "Walid", "Aaron", "Samba", "Robin", "Anis", "Victor", "Modibo", "Côme", "Nassim", "Martin", "Fodé",
    "Basile", "Idriss", "Oscar", "Kévin", "Wei", "Enzo", "Thiago", "Rafael", "Dylan", "Aymeric", "Siaka", "Félix",
]  # fmt: skip
WOMEN = [
    "Nathalie", "Fatoumata", "Sophie", "Samira", "Isabelle", "Aïssata", "Karima", "Céline", "Hawa", "Sandrine",
    "Malika", "Valérie", "Ramata", "Nadège", "Zohra", "Delphine", "Mariama", "Laurence", "Latifa", "Virginie",
    "Kadidia", "Stéphanie", "Houria", "Aurélie", "Binta", "Florence", "Naïma", "Émilie", "Assa", "Hélène",
]  # fmt: skip
MEN = [
    "Christophe", "Mohamed", "Olivier", "Boubou", "Philippe", "Rachid", "Laurent", "Aboubacar", "Stéphane", "Nordine",
    "Frédéric", "Mahamadou", "Thierry", "Abdel", "Nicolas", "Issa", "Sébastien", "Kamel", "Jérôme", "Tidiane",
    "Vincent", "Saïd", "Guillaume", "Alassane", "Pascal", "Hakim", "Emmanuel", "Drissa",
]  # fmt: skip
FAMILIES = [
    "Abdallah", "Adjovi", "Aubrac", "Bakayoko", "Balmont", "Baradji", "Barreau", "Bekkouche", "Belhadj", "Benali",
    "Bernardin", "Bertolin", "Bessières", "Blanchet", "Bouchama", "Boulanger", "Bourdin", "Brahimi", "Camara",
    "Carrère", "Cazenave", "Chabert", "Charpentier", "Chérif", "Cissokho", "Clavel", "Colin", "Combes", "Coulibaly",
    "Courtois", "Dabo", "Darbois", "Delacour", "Delmotte", "Dembélé", "Desvignes", "Diabira", "Diakité", "Diallo",
    "Diawara", "Dieng", "Djebbar", "Doucouré", "Dramé", "Dubreuil", "Duhamel", "Dumortier", "El-Amrani", "Fadiga",
    "Faure", "Ferreira", "Fofana", "Fontenay", "Fournier", "Gaillard", "Gassama", "Gauthier", "Ghezali", "Girardot",
    "Gomis", "Grandin", "Guéye", "Guillemin", "Haddad", "Hamidi", "Hébrard", "Hoang", "Idrissi", "Jacquemin",
    "Jaouen", "Kaba", "Kanouté", "Keïta", "Khelifi", "Konaté", "Kouyaté", "Lacombe", "Lagarde", "Lahlou", "Lambertin",
    "Larbi", "Leblond", "Lemaire", "Lesage", "Lin", "Mahfoud", "Maréchal", "Marchetti", "Mansouri", "Martinon",
    "Mbaye", "Medjdoub", "Mendy", "Mercadier", "Meunier", "Moreau", "N’Diaye", "Nguema", "Nguyen", "Niakaté",
    "Ouattara", "Ouedraogo", "Pasquet", "Pelletier", "Pereira", "Perrotin", "Pham", "Poulain", "Prévost", "Queyroi",
    "Rahmani", "Ravel", "Renaudin", "Richerand", "Rivoire", "Rochette", "Roussel", "Sacko", "Sagna", "Saïdi",
    "Salvador", "Sangaré", "Santos", "Savarin", "Sidibé", "Silva", "Simonet", "Sissoko", "Soumaré", "Sow", "Sylla",
    "Tandia", "Tavares", "Thévenot", "Tiemtoré", "Touré", "Tournier", "Tran", "Traoré", "Vasseur", "Verdier",
    "Vidalin", "Villeneuve", "Wagué", "Wang", "Yattara", "Zerrouki", "Zidani", "Zhou",
]  # fmt: skip
WAYS = [
    "de l’Abreuvoir", "des Acacias", "de l’Aqueduc", "des Artisans", "de l’Aubépine", "des Bateliers", "du Belvédère",
    "des Bleuets", "de la Borne", "des Boulangers", "du Buisson", "des Capucines", "du Carillon", "des Carriers",
    "de la Cerisaie", "des Chaudronniers", "du Colombier", "de la Cordonnerie", "des Coquelicots", "des Cytises",
    "de l’Écluse", "des Églantiers", "de l’Escarpolette", "des Fauvettes", "de la Filature", "des Fontainiers",
    "des Fougères", "de la Fonderie", "du Four-à-Chaux", "des Frênes", "de la Gare", "des Genêts", "de la Glacière",
    "du Gué", "des Hirondelles", "de l’Horloge", "des Horticulteurs", "de l’Imprimerie", "des Jardiniers", "du Jasmin",
    "du Lavoir", "des Lilas", "des Luthiers", "de la Manufacture", "des Maraîchers", "de la Marelle", "des Marronniers",
    "des Meuniers", "du Moulin-Rond", "des Mûriers", "des Noisetiers", "de l’Orangerie", "de l’Ourse", "des Papetiers",
    "de la Passerelle", "des Pâquerettes", "des Pivoines", "des Platanes", "du Poirier", "du Potager", "du Pressoir",
    "des Relieurs", "du Ruisseau", "des Sabotiers", "de la Source", "des Sorbiers", "des Tanneurs", "des Teinturiers",
    "de la Tonnelle", "des Tilleuls", "des Tisserands", "de la Treille", "des Vanniers", "du Verger", "des Verriers",
    "de la Vigne", "des Violettes", "du Vivier",
]  # fmt: skip


def weighted(rng: Random, chances: Mapping[T, float]) -> T:
    """One key, drawn in proportion to its chance."""
    return rng.choices(list(chances), weights=list(chances.values()))[0]


def day_between(rng: Random, first: date, last: date) -> date:
    """A day from ``first`` to ``last`` included, a working day as far as there is one; ``first`` when they cross."""
    if last <= first:
        return first
    day = first + timedelta(days=rng.randrange((last - first).days + 1))
    if day.weekday() > 4:
        moved = day - timedelta(days=day.weekday() - 4)
        return moved if moved >= first else day
    return day


def picked(rng: Random, things: Sequence[T], count: int) -> list[T]:
    return rng.sample(list(things), min(count, len(things)))


def address(rng: Random, arrondissement: int) -> str:
    return f"{rng.randint(1, 120)} rue {rng.choice(WAYS)}, 750{arrondissement:02d} Paris"


def phone(rng: Random) -> str:
    """A number of the range kept for fiction."""
    return f"06 39 98 {rng.randint(0, 99):02d} {rng.randint(0, 99):02d}"
