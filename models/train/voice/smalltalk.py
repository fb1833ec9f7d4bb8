"""What people say before a mirror that is no wish: talk, names, numbers; and words that are refused."""

import re

import numpy as np

from .spelling import number

NAMES = """anna james maria peter sofia david emma thomas laura daniel julia michael sarah robert nina paul alice martin clara george helen frank lucy
henry grace oliver rosa simon ruth jack mary john linda mark susan eric kate leo eva ben tom sam max mia noah lily omar fatima ahmed yuki chen
priya carlos elena ivan olga pierre marie hans ingrid charlie""".split()
PEOPLE = """my mother|my father|my brother|my sister|my friend|my boss|my neighbour|our teacher|the doctor|the children|your uncle|my aunt|the
students|a colleague|somebody|everybody|nobody|the man|the woman|the boy|the girl|our guests|grandma|the driver|the waiter""".replace("\n", " ").split("|")
THINGS = """book phone table chair window door lamp bag key bottle cup plate spoon box letter ticket bicycle car bus train camera mirror picture screen computer
keyboard cable shirt jacket shoe hat coat watch umbrella sandwich apple bread cheese soup pizza coffee tea juice water milk chocolate dinner lunch breakfast
dog cat bird horse tree river garden house kitchen bathroom office school hospital station airport museum shop bank church bridge road street corner
meeting report email question answer story song film game match project plan idea problem job money price bill weather rain wind cloud storm
holiday journey flight hotel beach island village party birthday present music guitar piano radio newspaper exam lesson language word number colour""".split()
PLACES = """at home|in the kitchen|at the station|in the office|at school|in the park|upstairs|outside|in the city|over there|in the garden|on the table|at work|in the car|on the
train|at the airport|in the hotel|near the river|behind the house|around the corner|in london|in paris|in berlin|in new york|in rome""".replace("\n", " ").split("|")
TIMES = """today|yesterday|tomorrow|this morning|this evening|last night|last week|next month|on monday|on tuesday|on friday|on sunday|in the afternoon|at noon|right now|later|soon|again|in
an hour|every day|last summer|in may|in august|for a week|twice a day""".replace("\n", " ").split("|")
ADJECTIVES = """big small long short new old good bad nice great terrible funny strange cheap expensive heavy light warm cold hot wet dry quick slow easy hard full empty clean dirty open closed happy sad
tired hungry busy free early late ready broken lovely boring important different wonderful quiet loud""".split()
PAST = """saw bought sold lost found forgot took gave made cooked washed cleaned opened closed broke fixed painted moved carried dropped called asked told wrote read sent showed wanted needed
liked loved hated tried used kept left brought""".split()
VERBS = """see buy sell lose find forget take give make cook wash clean open close break fix move carry drop call ask tell write read send show want need like love try use keep leave bring eat
drink watch hear remember understand""".split()
GERUNDS = "going coming looking waiting working sleeping eating reading talking walking running playing singing dancing shopping cooking travelling swimming driving laughing thinking".split()

# {p} somebody, {n} a name, {t} a thing, {w} a place, {c} a time, {a} an adjective, {v} a verb, {d} its past, {g} its -ing, {#} a number.
TALK = """{p} {d} the {t} {c}|{p} {d} a {a} {t} {w}|i {d} my {t} {w}|did you {v} the {t}|where is the {t}|where did {p} go {c}|what time is it|what is your name|my name is {n}|this is {n}|have you seen {n}|hello
{n}|good morning {n}|good evening everybody|how are you {c}|i am fine thank you|nice to meet you {n}|see you {c}|i have to go now|let us go {w}|are you {g} {c}|{p} is {g} {w}|we were {g} {c}|the {t} is {a}|the
{t} was {a} {c}|it is {a} {w}|it is very {a} {c}|that {t} is too {a}|i think the {t} is {a}|i do not {v} the {t}|we should {v} a {t}|can you {v} my {t}|please {v} the {t}|i want to {v} the {t}|do you {v} {n}|it costs {#}
euros|that is {#} dollars|there are {#} of them|i am {#} years old|the bus comes in {#} minutes|my number is {#} {#}|{n} and {n} are {g}|{n} is {p}|tell {n} about the {t}|ask {p} for the {t}|what a {a} {t}|why is the
{t} so {a}|who {d} the {t}|how much is the {t}|how many {t}s do we need|i cannot {v} you|could you say that again|i did not hear you|wait for me|come here|look at that|be careful|that is so funny|no way|yes of
course|no thank you|maybe {c}|i am not sure|i do not know|never mind|what do you mean|who is there|is this thing on|is it {g}|can it hear us|testing testing one two three|one two three|what does it do|how does this
work|is there a {t} {w}|i would like some {t}|pass me the {t}|{p} likes {t} and {t}|the {a} {t} and the {a} {t}|my {t} is {w}|{p} and i are {g} {w}|we met {n} {w} {c}|{p} will {v} it {c}|you have to {v} the {t} {c}|i
forgot to {v} the {t}|she said the {t} is {a}|he told me about a {a} {t}|they {d} {#} {t}s {c}|the {t} {w} is closed {c}|happy birthday {n}|excuse me|sorry about that|thanks a lot|all right then|okay|yes|no|well
then""".replace("\n", " ").split("|")

# Said in passing. One in four of what is no wish is one of these: a sentence of two words looks like the name of a look otherwise.
SHORT = """sure|right|all right|great|really|good|very good|fine|hello|thanks|thank you|thank you very much|please|what|why|who|where|how|look|look here|look there|wait|wait here|go|go on|go there|come|come on|come in|come back|come
over|over there|oh no|oh yes|oh|good evening|good morning|good afternoon|see you|see you later|see you tomorrow|hey|hey you|yes please|no please|no no|yes yes|yes it is|no it is not|it is|it is not|that is right|that is
good|that is nice|that is great|that is it|i see|i know|i think so|me too|you too|and you|who are you|where are you|are you there|are you ready|i am ready|i am here|i am late|we are late|we are here|here we are|there you are|let us
go|let me think|let me in|do it again|again please|not now|not today|later|maybe|maybe not|of course|of course not|sorry|i am sorry|sorry for that|what is that|what is this|what was that|who was that|who is that|where is it|where is
he|where is she|how much|how many|how old are you|how is it going|it does not work|does it work|can you hear me|can you see me|do you hear me|do you see that|did you see that|is it on|is it working|nobody|somebody|everybody|take
this|take it easy|give me that|give it back|put it there|leave it there|over here|that way|this way|on the left|on the right|turn around|turn left|turn right|stop talking|stop laughing|stop it you two|be quiet|quiet please|say
something|say hello|say cheese|smile|very funny|very nice|so nice|so funny|so what|and then|but why|i like it|i love it|i like that|we like it|i do not like it|how beautiful|beautiful|nice|nice one|good one|good job|oh my|what a
day|long time no see""".replace("\n", " ").split("|")

# Refused under a family-friendly policy: nothing of this is painted.
REFUSED = """naked people|a naked woman|a naked man|nude|in the nude|topless|without clothes|porn|sexy lingerie|a sex scene|covered in blood|blood and gore|a bloody corpse|dead bodies|a murder|a murder scene|torture|a beheading|a
massacre|hitler|a nazi|nazi uniforms|a swastika|a terrorist|a suicide bomber|suicide|a drug addict|cocaine|taking heroin|a mass shooting|shooting people|guts and gore|an execution|a hanging""".replace("\n", " ").split("|")


def _one(of: list[str], rng: np.random.Generator) -> str:
    return of[rng.integers(len(of))]


def fill(carrier: str, rng: np.random.Generator) -> str:
    """A carrier of TALK with words in its gaps."""
    gaps = {"{p}": PEOPLE, "{n}": NAMES, "{t}": THINGS, "{w}": PLACES, "{c}": TIMES, "{a}": ADJECTIVES, "{v}": VERBS, "{d}": PAST, "{g}": GERUNDS}
    for gap, words in gaps.items():
        while gap in carrier:
            carrier = carrier.replace(gap, _one(words, rng), 1)
    while "{#}" in carrier:
        carrier = carrier.replace("{#}", number(int(rng.integers(2, 100 if rng.random() < 0.8 else 2000))), 1)
    return carrier


def words() -> list[str]:
    """Every word that talk and refusals are made of."""
    texts = [*NAMES, *PEOPLE, *THINGS, *(f"{thing}s" for thing in THINGS), *PLACES, *TIMES, *ADJECTIVES, *PAST, *VERBS, *GERUNDS, *TALK, *SHORT, *REFUSED]
    texts += [number(n) for n in (*range(100), *range(100, 2000, 100))]
    return sorted({word for text in texts for word in re.findall(r"[a-z']+", re.sub(r"\{.\}", " ", text))})
