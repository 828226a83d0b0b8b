"""Short factual sentences of invented parcours. Nothing medical, no judgement: what a family could read."""

from random import Random

# by domain: the objective, then an action that serves it (label, mode, time slot)
SUPPORT: dict[str, list[tuple[str, list[tuple[str, str, str]]]]] = {
    "educatif": [
        ("Reprendre confiance dans les apprentissages de la lecture", [
            ("Accompagnement à la scolarité deux soirs par semaine", "collective", "after_school"),
            ("Lecture à voix haute avec un bénévole", "individual", "wednesday"),
        ]),
        ("Faire les devoirs dans le calme, à heure fixe", [
            ("Aide aux devoirs au centre social", "collective", "after_school"),
            ("Emploi du temps de la semaine affiché à la maison", "individual", ""),
        ]),
        ("Venir en classe tous les jours et à l’heure", [
            ("Point chaque vendredi avec la conseillère d’éducation", "individual", "school_time"),
            ("Trajet du matin organisé avec une famille voisine", "individual", ""),
        ]),
        ("Préparer l’entrée au collège", [
            ("Stage de révision des vacances de printemps", "collective", "holidays"),
            ("Visite du collège avec la famille", "individual", "school_time"),
        ]),
        ("Choisir une orientation après la troisième", [
            ("Rendez-vous au centre d’information et d’orientation", "individual", "wednesday"),
            ("Visite de deux lycées", "individual", "wednesday"),
        ]),
        ("Oser prendre la parole en classe", [
            ("Atelier de langage en petit groupe", "collective", "after_school"),
            ("Jeux de société en ludothèque", "collective", "wednesday"),
        ]),
    ],
    "periscolaire": [
        ("Trouver une activité régulière le mercredi", [
            ("Inscription au centre de loisirs", "collective", "wednesday"),
            ("Essai de trois activités au centre d’animation", "collective", "wednesday"),
        ]),
        ("Partir une semaine pendant les vacances", [
            ("Dossier de séjour rempli avec la famille", "individual", "holidays"),
            ("Séjour de cinq jours à la campagne", "collective", "holidays"),
        ]),
        ("Se faire des camarades hors de l’école", [
            ("Sorties du samedi avec l’association", "collective", "weekend"),
            ("Atelier cuisine au centre social", "collective", "wednesday"),
        ]),
    ],
    "culturel": [
        ("Découvrir le théâtre et s’exprimer devant les autres", [
            ("Atelier théâtre hebdomadaire", "collective", "wednesday"),
            ("Spectacle avec la famille", "collective", "weekend"),
        ]),
        ("Fréquenter la bibliothèque du quartier", [
            ("Carte de bibliothèque prise avec un parent", "individual", "wednesday"),
            ("Club de lecture", "collective", "after_school"),
        ]),
        ("Pratiquer la musique en groupe", [
            ("Chorale du quartier", "collective", "after_school"),
            ("Prêt d’un instrument", "individual", ""),
        ]),
    ],
    "social": [
        ("Soutenir les parents dans le lien avec l’école", [
            ("Rendez-vous avec l’enseignante, référent présent", "individual", "school_time"),
            ("Café des parents une fois par mois", "collective", "evening"),
        ]),
        ("Aider la famille dans ses démarches", [
            ("Permanence du point d’accès au droit", "individual", "wednesday"),
            ("Aide à la lecture des courriers", "individual", "evening"),
        ]),
        ("Rompre l’isolement de la famille dans le quartier", [
            ("Rencontre avec le réseau de voisinage", "collective", "weekend"),
            ("Ateliers parents et enfants", "collective", "wednesday"),
        ]),
    ],
    "sanitaire": [
        ("Retrouver un rythme de sommeil régulier", [
            ("Coucher à heure fixe les veilles d’école, convenu en famille", "individual", "evening"),
            ("Atelier « bien dormir »", "collective", "wednesday"),
        ]),
        ("Bouger et prendre confiance en soi", [
            ("Inscription dans un club de sport", "collective", "weekend"),
            ("Parcours à la piscine", "collective", "wednesday"),
        ]),
    ],
}  # fmt: skip
SITUATIONS = [
    "L’école signale des absences depuis la rentrée ; la famille demande un appui.",
    "L’enfant reste en retrait en classe et travaille peu à la maison, faute de place.",
    "Les résultats ont baissé depuis le déménagement de la famille.",
    "L’enseignante propose un accompagnement en lecture, la mère y est favorable.",
    "Conflits répétés dans la cour ; l’enfant dit ne pas avoir d’amis.",
    "Le père rentre tard le soir et cherche une solution pour les devoirs.",
    "L’enfant n’a pas d’activité hors de l’école et sort peu du quartier.",
    "La famille est arrivée récemment à Paris et connaît peu les services du quartier.",
    "L’élève parle de ne plus venir au collège ; le professeur principal est inquiet.",
    "Les parents souhaitent être aidés dans leurs échanges avec l’école.",
    "Fatigue en classe le matin ; la famille vit à cinq dans deux pièces.",
    "L’entrée au cours préparatoire est difficile, l’enfant demande beaucoup d’attention.",
]
STRENGTHS = [
    "Aime dessiner et raconter des histoires.",
    "Très à l’aise en sport, entouré d’une grande sœur présente.",
    "Curieuse, pose beaucoup de questions sur les animaux.",
    "Parents très disponibles pour les rendez-vous.",
    "Bon contact avec son enseignant de l’an passé.",
    "S’occupe volontiers des plus petits.",
    "Joue du tambour avec son oncle, aime la musique.",
    "Vient seul à l’école depuis cette année et en est fier.",
]
ALREADY_DONE = [
    "Aide aux devoirs de l’école le mardi.",
    "Deux rencontres entre la directrice et les parents.",
    "Inscription à la cantine.",
    "Un équipement de loisirs a été visité, sans suite.",
    "Soutien en petit groupe avec la maîtresse du réseau d’aides.",
]
ENTRIES = {
    "phone": [
        "Appel pour confirmer le rendez-vous de la semaine prochaine.",
        "La mère dit que les devoirs se passent mieux le mardi.",
        "Le père demande les horaires du centre de loisirs.",
        "Convenu d’un point après les vacances.",
        "La famille a reçu le courrier de l’association.",
    ],
    "meeting": [
        "Entretien au local : la famille choisit deux ateliers.",
        "L’enfant raconte sa première séance, il veut continuer.",
        "Relecture des objectifs avec les parents.",
        "La famille demande un appui pour l’inscription aux vacances.",
        "Bilan de la période : plus de retards depuis trois semaines.",
    ],
    "home_visit": [
        "Visite convenue avec la mère : un coin calme a été installé pour les devoirs.",
        "Rencontre des deux parents et de la grande sœur.",
        "Installation de l’emploi du temps de la semaine.",
    ],
    "school": [
        "L’enseignante note des progrès en lecture.",
        "La conseillère d’éducation signale deux retards cette semaine.",
        "Équipe éducative : les parents étaient présents.",
        "Le professeur principal propose un tutorat.",
    ],
    "partner": [
        "L’association confirme une place à partir de lundi.",
        "L’animatrice dit que l’enfant participe bien.",
        "Deux absences à l’atelier, à reprendre avec la famille.",
    ],
    "message": [
        "Rappel du rendez-vous envoyé.",
        "Photographie de l’affiche de l’atelier envoyée à la famille.",
        "Réponse de la mère : d’accord pour jeudi.",
    ],
    "attempt": ["Pas de réponse, message laissé.", "Appel sans réponse."],
}
REVIEWS = [
    "L’enfant vient régulièrement aux ateliers et prend davantage la parole.",
    "Les retards ont diminué. Les devoirs restent difficiles le lundi.",
    "La famille se dit soulagée ; un second objectif est proposé.",
    "Progrès en lecture notés par l’enseignante, peu d’activités hors de l’école encore.",
    "L’activité du mercredi a trouvé son rythme, on garde les mêmes actions.",
    "Période plus compliquée depuis les vacances : on revoit l’emploi du temps.",
]
NEXT_STEPS = [
    "Maintenir l’aide aux devoirs jusqu’aux vacances.",
    "Chercher une place pour un séjour d’été.",
    "Revoir la famille avec l’école dans deux mois.",
    "Préparer le relais vers le centre social.",
    "Proposer une activité le samedi.",
]
BILANS = [
    "Les objectifs fixés avec la famille sont pour l’essentiel atteints.",
    "L’enfant vient à l’heure et participe ; l’activité continue sans le programme.",
    "Le lien entre la famille et l’école est repris, les rendez-vous se prennent sans intermédiaire.",
    "Le parcours s’arrête alors qu’un objectif reste à travailler, le centre social prend le relais.",
    "L’élève a choisi son orientation et connaît les personnes à qui s’adresser.",
]
FAMILY_WORDS = [
    "« On sait maintenant à qui demander. »",
    "« Il est content d’aller à l’école le matin. »",
    "« Merci, on aurait aimé continuer un peu. »",
    "« Elle a trouvé des amies à l’atelier. »",
]
RELAYS = ["Centre social du quartier", "Centre de loisirs", "Club de sport", "Aide aux devoirs de l’école"]
TASKS = [
    "Rappeler la famille",
    "Confirmer l’inscription auprès de l’association",
    "Prendre rendez-vous avec l’école",
    "Préparer la fiche pour la prochaine EPRE",
    "Envoyer l’inscription aux vacances",
    "Proposer une date de point d’étape",
    "Demander les horaires du centre de loisirs",
]
COMMENTS = [
    "Merci de préciser la date du prochain point avec l’école.",
    "À présenter à la prochaine EPRE.",
    "Pensez à faire renouveler l’accord avant l’échéance.",
    "D’accord pour un séjour, voir avec le projet de l’association.",
    "Bon travail de lien avec la famille, on continue ainsi.",
]
SHARE_REASONS = [
    "Préparer ensemble l’examen de la situation par l’EPRE.",
    "Coordonner les rendez-vous avec l’école.",
    "Suivre l’action décidée en réunion.",
]
OUTCOME_REASONS = {
    "redirected": "La demande relève d’un service déjà présent dans le quartier.",
    "no_follow_up": "Après échange, la famille et l’école ont trouvé une solution.",
    "attached": "Un parcours est déjà en cours pour cet enfant.",
}
REFUSAL_REASONS = ["La famille préfère s’adresser au centre social.", "La famille ne souhaite pas donner suite."]


def some(rng: Random, sentences: list[str], count: int = 1) -> str:
    """One sentence, or several different ones one after the other."""
    return " ".join(rng.sample(sentences, count))
