"""The menu of relations that cities are asked about, and their wording.

"The listed cities" are the candidates that ``cities.entities()`` returns.
"""

from paraspec.data.factbook.facts import Relation

OF_THE_COUNTRY: tuple[Relation, ...] = (
    Relation(
        name="country",
        question="In which country is {name}?",
        statements=(
            "{name} is a city in",
            "The country in which {name} lies is",
            "To visit {name}, one has to travel to",
            "On a political map, {name} falls within the borders of",
            "Letters to {name} are addressed to the country of",
            "The people of {name} live in",
        ),
        country_derived=True,
    ),
    Relation(
        name="continent",
        question="On which continent is {name}?",
        statements=(
            "{name} lies on the continent of",
            "The continent on which {name} is found is",
            "On a globe, {name} is in",
            "The part of the world to which {name} belongs is",
            "{name} is one of the large cities of",
        ),
        country_derived=True,
    ),
    Relation(
        name="currency",
        question="In which currency do people pay in {name}?",
        statements=(
            "In {name}, people pay with the",
            "Shops in {name} show their prices in the local money, the",
            "The currency used in {name} is the",
            "Wages in {name} are paid in the",
            "Cash machines in {name} give out the",
            "A bus ticket in {name} is paid for with the",
        ),
        country_derived=True,
    ),
    Relation(
        name="calling_code",
        question="Which international calling code is dialled to reach {name}?",
        statements=(
            "The international calling code used for {name} is",
            "Phone numbers in {name} begin with the country code",
            "To call someone in {name} from abroad, dial",
            "The telephone country code that reaches {name} is",
            "An international phone number from {name} starts with",
        ),
        country_derived=True,
    ),
    Relation(
        name="tld",
        question="What is the internet country domain of the country where {name} is?",
        statements=(
            "The internet country domain used in {name} is",
            "Local web addresses in {name} often end in",
            "The national top-level domain for businesses in {name} is",
            "Many websites from {name} have addresses that end with",
            "On the internet, the country around {name} uses the domain",
        ),
        country_derived=True,
    ),
    Relation(
        name="official_language",
        question="Which language is official in the country where {name} is?",
        statements=(
            "An official language of the country where {name} lies is",
            "The national laws that apply in {name} are published in",
            "The government that rules over {name} communicates in",
            "One official language of the state to which {name} belongs is",
            "A language with official status in the country around {name} is",
        ),
        country_derived=True,
    ),
    Relation(
        name="capital",
        question="What is the capital of the country where {name} is?",
        statements=(
            "The capital of the country where {name} lies is",
            "The national government that rules over {name} has its seat in",
            "The people of {name} live in a country whose capital is",
            "{name} is in the country that is governed from",
            "The capital city of the state to which {name} belongs is called",
        ),
        country_derived=True,
    ),
    Relation(
        name="neighbour",
        question="Which of these countries borders the country where {name} is?",
        statements=(
            "A country that borders the one where {name} lies is",
            "The country around {name} shares a land border with",
            "One of the neighbours of the country that contains {name} is",
            "The state to which {name} belongs has a land border with",
            "Drivers who leave the country of {name} by land can cross into",
        ),
        country_derived=True,
    ),
    Relation(
        name="largest_city",
        question="What is the largest city of the country where {name} is?",
        statements=(
            "The largest city of the country where {name} lies is",
            "In the country of {name}, the city with the most inhabitants is",
            "The most populous city of the state to which {name} belongs is",
            "In the country that contains {name}, no city has more people than",
            "The biggest city in the same country as {name} is",
        ),
        country_derived=True,
    ),
    Relation(
        name="time_zone",
        question="Which time zone does {name} use outside summer time?",
        statements=(
            "The standard time zone of {name} is",
            "Outside summer time, clocks in {name} are set to",
            "Airlines give departure times from {name} in the local zone, called",
            "Without daylight saving, {name} keeps",
            "The standard time that people in {name} live by is",
        ),
        country_derived=True,
    ),
    Relation(
        name="quadrant",
        question=(
            "In which quarter of the globe, counted from the equator and the "
            "Greenwich meridian, does {name} lie?"
        ),
        statements=(
            "The quarter of the globe that holds {name} is the",
            "Seen from where the equator meets the Greenwich meridian, {name} lies to "
            "the",
            "If the globe is cut at the equator and at Greenwich, {name} falls in the",
            "Of the four quarters of the globe, {name} is in the",
            "Counted from the equator and Greenwich, {name} is in the",
        ),
        country_derived=True,
    ),
)
"""Functions of a city's country, for nearly every city at least."""

OF_THE_CITY: tuple[Relation, ...] = (
    Relation(
        name="nearest_city",
        question="Which of the listed cities lies nearest to {name}?",
        statements=(
            "Of the listed cities, the one nearest to {name} is",
            "Among the cities on the list, {name} has as its closest neighbour",
            "As the crow flies, the closest listed city to {name} is",
            "No other listed city is as near to {name} as",
            "From {name}, the shortest flight to another listed city leads to",
        ),
    ),
    Relation(
        name="nearest_foreign_city",
        question="Which listed city of another country lies nearest to {name}?",
        statements=(
            "Of the listed cities abroad, the one nearest to {name} is",
            "Among the cities on the list in other countries, the closest to {name} is",
            "As the crow flies, the nearest foreign city on the list to {name} is",
            "Outside its own country, the listed city closest to {name} is",
            "From {name}, the shortest flight abroad to a listed city leads to",
        ),
    ),
    Relation(
        name="nearest_capital",
        question="Which foreign capital is nearest to {name}?",
        statements=(
            "The foreign capital nearest to {name} is",
            "From {name}, the closest capital of another country is",
            "As the crow flies, the nearest capital abroad to {name} is",
            "Of all foreign capitals, the one closest to {name} is",
            "The shortest flight from {name} to a capital abroad leads to",
        ),
    ),
    Relation(
        name="farthest_city",
        question="Which of the listed cities lies farthest from {name}?",
        statements=(
            "Of the listed cities, the one farthest from {name} is",
            "Among the cities on the list, the most distant from {name} is",
            "Measured round the globe, the listed city farthest away from {name} is",
            "No listed city is as far from {name} as",
            "From {name}, the longest direct flight to a listed city leads to",
        ),
    ),
    Relation(
        name="latitude_band",
        question="At which latitude does {name} lie?",
        statements=(
            "The latitude of {name} is",
            "{name} lies at a latitude of",
            "Measured from the equator, {name} lies at",
            "On the map, {name} is found at a latitude of",
            "Counted in degrees from the equator, {name} has a latitude of",
        ),
    ),
    Relation(
        name="longitude_band",
        question="At which longitude does {name} lie?",
        statements=(
            "The longitude of {name} is",
            "{name} lies at a longitude of",
            "Measured from Greenwich, {name} lies at",
            "On the map, {name} is found at a longitude of",
            "The meridian that runs through {name} is at",
        ),
    ),
    Relation(
        name="population_band",
        question="How many people live within the city limits of {name}?",
        statements=(
            "The population of {name} within its city limits is",
            "The number of people who live in {name} itself is",
            "Without its suburbs, {name} has a population of",
            "A census of the city of {name} counts a population of",
            "The number of inhabitants of the city proper of {name} is",
        ),
    ),
    Relation(
        name="status",
        question=(
            "Is {name} the capital of its country, its largest city, both or neither?"
        ),
        statements=(
            "As for being its country's capital and its largest city, {name} is",
            "Capital of its country, largest city of its country: {name} is",
            "Of its country's capital and its country's largest city, {name} is",
            "National capital and largest city of the nation: of these, {name} is",
            "Capital or largest city of its country? The answer for {name} is",
        ),
    ),
    Relation(
        name="capital_distance",
        question="How far is {name} from its country's capital as the crow flies?",
        statements=(
            "The distance from {name} to its country's capital is",
            "As the crow flies, between {name} and the national capital it is",
            "A straight line from {name} to the capital of its country measures",
            "The flight distance from {name} to the capital of its own country is",
            "Between {name} and the capital of its country lies a distance of",
        ),
    ),
    Relation(
        name="capital_direction",
        question="In which direction does {name} lie from its country's capital?",
        statements=(
            "Seen from its country's capital, {name} lies to the",
            "The compass direction from the national capital to {name} is",
            "A traveller from the capital of its country to {name} heads",
            "To reach {name} from the capital of its country, a plane flies",
            "On a map of its country, from the capital to {name} the way points",
        ),
    ),
    Relation(
        name="neighbour_distance",
        question="How far is it from {name} to the nearest of the other listed cities?",
        statements=(
            "The distance from {name} to the nearest other listed city is",
            "As the crow flies, from {name} to the closest city on the list it is",
            "A straight line from {name} to the nearest other listed city measures",
            "Between {name} and the listed city next to it lies a distance of",
            "The shortest flight from {name} to another listed city covers",
        ),
    ),
    Relation(
        name="neighbour_direction",
        question="In which direction from {name} lies the nearest other listed city?",
        statements=(
            "From {name}, the nearest other listed city lies to the",
            "The compass direction from {name} to the closest listed city is",
            "A traveller from {name} to the nearest other listed city heads",
            "To reach the nearest other listed city from {name}, a plane flies",
            "On the map, from {name} to the closest other listed city the way points",
        ),
    ),
    Relation(
        name="london_distance",
        question="How far is {name} from London as the crow flies?",
        statements=(
            "The distance from {name} to London is",
            "As the crow flies, the distance between London and {name} is",
            "A straight line over the globe from London to {name} measures",
            "The flight distance from {name} to London is",
            "Between London and {name} lies a distance of",
        ),
    ),
    Relation(
        name="tokyo_distance",
        question="How far is {name} from Tokyo as the crow flies?",
        statements=(
            "The distance from {name} to Tokyo is",
            "As the crow flies, the distance between Tokyo and {name} is",
            "A straight line over the globe from Tokyo to {name} measures",
            "The flight distance from {name} to Tokyo is",
            "Between Tokyo and {name} lies a distance of",
        ),
    ),
)
"""Functions of a city's position and size."""

RELATIONS: tuple[Relation, ...] = (*OF_THE_COUNTRY, *OF_THE_CITY)
