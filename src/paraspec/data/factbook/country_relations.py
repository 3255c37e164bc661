"""The menu of relations that countries are asked about, and their wording."""

from paraspec.data.factbook.facts import Relation

RELATIONS: tuple[Relation, ...] = (
    Relation(
        name="capital",
        question="What is the capital of {name}?",
        statements=(
            "The capital of {name} is",
            "The capital city of {name} is called",
            "The government of {name} has its seat in",
            "On a map of {name}, the capital is marked as",
            "Ambassadors to {name} usually live in the capital,",
            "The city that serves as the capital of {name} is",
        ),
    ),
    Relation(
        name="continent",
        question="On which continent does {name} lie?",
        statements=(
            "{name} lies on the continent of",
            "The continent to which {name} belongs is",
            "On a globe, {name} is found in",
            "Geographers count {name} among the countries of",
            "{name} is a country in",
            "The part of the world that contains {name} is",
        ),
    ),
    Relation(
        name="currency",
        question="What is the currency of {name} called?",
        statements=(
            "The currency of {name} is the",
            "In {name}, people pay with the",
            "The official currency of {name} is called the",
            "Shops in {name} show their prices in the local money, the",
            "Wages in {name} are paid in the",
            "Before a trip to {name}, travellers change their money into the",
        ),
        group="money",
    ),
    Relation(
        name="currency_code",
        question="What is the three-letter ISO code of the currency of {name}?",
        statements=(
            "The three-letter code of the currency of {name} is",
            "Banks abbreviate the currency of {name} as",
            "In exchange rate tables, the money of {name} is listed as",
            "In ISO 4217, the currency of {name} has the code",
            "On the foreign exchange market, the currency of {name} is written",
        ),
        group="money",
    ),
    Relation(
        name="iso2",
        question="What is the two-letter ISO country code of {name}?",
        statements=(
            "The two-letter ISO code of {name} is",
            "In ISO 3166, {name} has the two-letter code",
            "Databases abbreviate {name} to the two letters",
            "The alpha-2 country code for {name} is",
            "On a parcel, {name} may be shortened to the two-letter code",
        ),
        group="code",
    ),
    Relation(
        name="iso3",
        question="What is the three-letter ISO country code of {name}?",
        statements=(
            "The three-letter ISO code of {name} is",
            "In ISO 3166, {name} has the three-letter code",
            "Passports of {name} carry the three-letter code",
            "The alpha-3 country code for {name} is",
            "Statistical tables shorten {name} to the three letters",
        ),
        group="code",
    ),
    Relation(
        name="tld",
        question="What is the internet country domain of {name}?",
        statements=(
            "The internet country domain of {name} is",
            "Web addresses in {name} often end in",
            "The top-level domain assigned to {name} is",
            "Many websites from {name} have addresses that end with",
            "On the internet, {name} uses the domain",
        ),
        group="code",
    ),
    Relation(
        name="calling_code",
        question="What is the international calling code of {name}?",
        statements=(
            "The international calling code of {name} is",
            "Phone numbers in {name} begin with the country code",
            "To call someone in {name} from abroad, dial",
            "The telephone country code for {name} is",
            "An international number from {name} starts with",
        ),
    ),
    Relation(
        name="official_language",
        question="Which of these is an official language of {name}?",
        statements=(
            "An official language of {name} is",
            "The laws of {name} are published in",
            "In {name}, the authorities communicate in",
            "Official forms in {name} can be filled in in",
            "A language with official status in {name} is",
        ),
    ),
    Relation(
        name="neighbour",
        question="Which of these countries shares a land border with {name}?",
        statements=(
            "{name} shares a land border with",
            "One of the neighbours of {name} is",
            "A country that borders {name} by land is",
            "Travelling overland from {name}, one can cross the border into",
            "On the map, {name} touches",
        ),
    ),
    Relation(
        name="largest_neighbour",
        question="Which country that borders {name} by land has the largest area?",
        statements=(
            "Of all the countries that border {name}, the largest by area is",
            "The largest neighbour of {name} by area is",
            "Among the land neighbours of {name}, the one with the most territory is",
            "No country that borders {name} covers more land than",
            "The biggest country with a land border with {name} is",
        ),
    ),
    Relation(
        name="neighbour_count",
        question="With how many countries does {name} share a land border?",
        statements=(
            "The number of countries that share a land border with {name} is",
            "Counting its land neighbours, {name} has a total of",
            "How many countries border {name} by land? The answer is",
            "If you count the countries that touch {name} by land, you get",
            "The number of land neighbours of {name} is",
        ),
    ),
    Relation(
        name="population_band",
        question="How many people live in {name}?",
        statements=(
            "The population of {name} is",
            "The number of people who live in {name} is",
            "The number of inhabitants of {name} is",
            "A census of {name} counts a population of",
            "In round figures, the people of {name} number",
        ),
    ),
    Relation(
        name="area_band",
        question="How large is the area of {name} in square kilometres?",
        statements=(
            "In square kilometres, the area of {name} is",
            "Measured in square kilometres, {name} covers",
            "The surface of {name} in square kilometres is",
            "The territory of {name} has an area in square kilometres of",
            "The size of {name}, given in square kilometres, is",
        ),
    ),
    Relation(
        name="density_band",
        question="How many people live on one square kilometre in {name}, on average?",
        statements=(
            "The number of people per square kilometre in {name} is",
            "The population density of {name} per square kilometre is",
            "On an average square kilometre of {name}, the number of residents is",
            "Divided by its area in square kilometres, the population of {name} is",
            "In people per square kilometre, the density of {name} is",
        ),
    ),
    Relation(
        name="largest_city",
        question="What is the largest city of {name}?",
        statements=(
            "The largest city of {name} is",
            "The city with the most inhabitants in {name} is",
            "The biggest city in {name} is",
            "No city in {name} has more people than",
            "The most populous city of {name} is called",
        ),
    ),
    Relation(
        name="second_city",
        question="What is the second largest city of {name}?",
        statements=(
            "The second largest city of {name} is",
            "The second most populous city in {name} is",
            "By population, the number two among the cities of {name} is",
            "In {name}, only one city is bigger than",
            "After the largest city of {name}, the next in size is",
        ),
    ),
    Relation(
        name="latitude_band",
        question="At which latitude does the capital of {name} lie?",
        statements=(
            "The latitude of the capital of {name} is",
            "The capital of {name} lies at a latitude of",
            "Measured from the equator, the capital of {name} lies at",
            "On the map, the capital of {name} is found at a latitude of",
            "The seat of government of {name} is at a latitude of",
        ),
    ),
    Relation(
        name="longitude_band",
        question="At which longitude does the capital of {name} lie?",
        statements=(
            "The longitude of the capital of {name} is",
            "The capital of {name} lies at a longitude of",
            "Measured from Greenwich, the capital of {name} lies at",
            "On the map, the capital of {name} is found at a longitude of",
            "The seat of government of {name} is at a longitude of",
        ),
    ),
    Relation(
        name="quadrant",
        question=(
            "In which quarter of the globe, counted from the equator and the "
            "Greenwich meridian, does the capital of {name} lie?"
        ),
        statements=(
            "The quarter of the globe that holds the capital of {name} is the",
            "Seen from where the equator meets the Greenwich meridian, the capital "
            "of {name} lies to the",
            "If the globe is cut at the equator and at Greenwich, the capital of "
            "{name} falls in the",
            "Of the four quarters of the globe, the capital of {name} is in the",
            "Counted from the equator and Greenwich, the capital of {name} is in the",
        ),
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
    ),
    Relation(
        name="division",
        question="What are the main administrative divisions of {name} called?",
        statements=(
            "The main administrative divisions of {name} are called",
            "At the first level, {name} is divided into",
            "For its administration, {name} is split up into",
            "In English, the largest administrative units of {name} are known as",
            "A political map of {name} shows its borders and those of its",
        ),
    ),
    Relation(
        name="nearest_capital",
        question="Which foreign capital is nearest to the capital of {name}?",
        statements=(
            "The foreign capital nearest to the capital of {name} is",
            "From the capital of {name}, the closest capital of another country is",
            "As the crow flies, the nearest capital to that of {name} is",
            "Of all foreign capitals, the one closest to the capital of {name} is",
            "The shortest flight from the capital of {name} to another capital "
            "leads to",
        ),
    ),
)
