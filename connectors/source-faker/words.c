#include "words.h"

static const struct word first[] = {
    {3, "Ada"},    {4, "Alma"},   {4, "Amir"},  {6, "Anders"},  {5, "Anouk"}, {4, "Aria"},   {4, "Arlo"},
    {6, "Astrid"}, {4, "Aziz"},   {3, "Bao"},   {7, "Beatriz"}, {4, "Bela"},  {4, "Bram"},   {5, "Carla"},
    {4, "Cato"},   {6, "Chiara"}, {4, "Cleo"},  {3, "Dag"},     {4, "Dana"},  {5, "Dario"},  {4, "Elif"},
    {4, "Elin"},   {4, "Emil"},   {4, "Enzo"},  {4, "Esra"},    {3, "Eva"},   {5, "Farid"},  {5, "Fenna"},
    {4, "Finn"},   {5, "Freya"},  {4, "Gita"},  {4, "Gael"},    {4, "Hana"},  {4, "Hugo"},   {3, "Ida"},
    {4, "Ilse"},   {4, "Imre"},   {4, "Ines"},  {4, "Iris"},    {4, "Ivan"},  {4, "Jana"},   {5, "Jonas"},
    {3, "Jun"},    {4, "Kaja"},   {5, "Kamal"}, {5, "Katya"},   {5, "Kenji"}, {4, "Lars"},   {5, "Layla"},
    {4, "Lena"},   {3, "Leo"},    {4, "Liam"},  {4, "Lina"},    {4, "Luca"},  {4, "Mads"},   {4, "Maja"},
    {5, "Malik"},  {4, "Mara"},   {5, "Marek"}, {3, "Mei"},     {4, "Mila"},  {4, "Mina"},   {5, "Nadia"},
    {4, "Nils"},   {4, "Noor"},   {4, "Nora"},  {4, "Olga"},    {4, "Omar"},  {5, "Oskar"},  {4, "Otto"},
    {5, "Paula"},  {5, "Pavel"},  {5, "Petra"}, {5, "Priya"},   {5, "Quinn"}, {6, "Rafael"}, {4, "Rana"},
    {4, "Remy"},   {4, "Rosa"},   {4, "Runa"},  {4, "Sami"},    {4, "Sana"},  {5, "Selma"},  {5, "Signe"},
    {5, "Silas"},  {5, "Sofia"},  {4, "Sven"},  {5, "Tariq"},   {5, "Tessa"}, {4, "Theo"},   {5, "Tilda"},
    {5, "Tomas"},  {3, "Uma"},    {4, "Vera"},  {6, "Viktor"},  {5, "Willa"}, {4, "Yara"},   {5, "Yusuf"},
    {4, "Zara"},   {3, "Zoe"},
};

static const struct word first_lower[] = {
    {3, "ada"},    {4, "alma"},   {4, "amir"},  {6, "anders"},  {5, "anouk"}, {4, "aria"},   {4, "arlo"},
    {6, "astrid"}, {4, "aziz"},   {3, "bao"},   {7, "beatriz"}, {4, "bela"},  {4, "bram"},   {5, "carla"},
    {4, "cato"},   {6, "chiara"}, {4, "cleo"},  {3, "dag"},     {4, "dana"},  {5, "dario"},  {4, "elif"},
    {4, "elin"},   {4, "emil"},   {4, "enzo"},  {4, "esra"},    {3, "eva"},   {5, "farid"},  {5, "fenna"},
    {4, "finn"},   {5, "freya"},  {4, "gita"},  {4, "gael"},    {4, "hana"},  {4, "hugo"},   {3, "ida"},
    {4, "ilse"},   {4, "imre"},   {4, "ines"},  {4, "iris"},    {4, "ivan"},  {4, "jana"},   {5, "jonas"},
    {3, "jun"},    {4, "kaja"},   {5, "kamal"}, {5, "katya"},   {5, "kenji"}, {4, "lars"},   {5, "layla"},
    {4, "lena"},   {3, "leo"},    {4, "liam"},  {4, "lina"},    {4, "luca"},  {4, "mads"},   {4, "maja"},
    {5, "malik"},  {4, "mara"},   {5, "marek"}, {3, "mei"},     {4, "mila"},  {4, "mina"},   {5, "nadia"},
    {4, "nils"},   {4, "noor"},   {4, "nora"},  {4, "olga"},    {4, "omar"},  {5, "oskar"},  {4, "otto"},
    {5, "paula"},  {5, "pavel"},  {5, "petra"}, {5, "priya"},   {5, "quinn"}, {6, "rafael"}, {4, "rana"},
    {4, "remy"},   {4, "rosa"},   {4, "runa"},  {4, "sami"},    {4, "sana"},  {5, "selma"},  {5, "signe"},
    {5, "silas"},  {5, "sofia"},  {4, "sven"},  {5, "tariq"},   {5, "tessa"}, {4, "theo"},   {5, "tilda"},
    {5, "tomas"},  {3, "uma"},    {4, "vera"},  {6, "viktor"},  {5, "willa"}, {4, "yara"},   {5, "yusuf"},
    {4, "zara"},   {3, "zoe"},
};

static const struct word last[] = {
    {4, "Abel"},     {5, "Adler"},   {7, "Almeida"}, {5, "Amsel"},   {6, "Arnold"},   {6, "Bakker"},
    {8, "Banerjee"}, {6, "Becker"},  {4, "Berg"},    {7, "Bianchi"}, {4, "Blom"},     {5, "Bosch"},
    {6, "Brandt"},   {7, "Carlsen"}, {6, "Castro"},  {5, "Cerny"},   {4, "Chen"},     {5, "Costa"},
    {4, "Dahl"},     {5, "Demir"},   {4, "Diaz"},    {6, "Dubois"},  {5, "Ekman"},    {5, "Engel"},
    {6, "Farkas"},   {7, "Fischer"}, {7, "Fonseca"}, {5, "Fuchs"},   {6, "Garcia"},   {6, "Gruber"},
    {4, "Haas"},     {6, "Hansen"},  {7, "Hartman"}, {6, "Hassan"},  {7, "Hoffman"},  {4, "Holm"},
    {6, "Horvat"},   {5, "Ibsen"},   {3, "Ito"},     {6, "Jansen"},  {6, "Jensen"},   {4, "Kaya"},
    {6, "Keller"},   {4, "Khan"},    {3, "Kim"},     {5, "Klein"},   {5, "Kovac"},    {5, "Kruse"},
    {5, "Kumar"},    {4, "Lang"},    {6, "Larsen"},  {5, "Leroy"},   {4, "Lind"},     {5, "Lopez"},
    {4, "Lund"},     {5, "Maier"},   {6, "Marino"},  {6, "Martin"},  {5, "Meyer"},    {4, "Mori"},
    {6, "Moreau"},   {4, "Nagy"},    {6, "Nakata"},  {7, "Nielsen"}, {5, "Novak"},    {6, "Okafor"},
    {5, "Olsen"},    {6, "Ortega"},  {4, "Osei"},    {6, "Palmer"},  {4, "Park"},     {7, "Pereira"},
    {6, "Petrov"},   {4, "Pohl"},    {5, "Popov"},   {5, "Quist"},   {4, "Reis"},     {7, "Richter"},
    {5, "Rossi"},    {4, "Roth"},    {4, "Ruiz"},    {4, "Sato"},    {7, "Schmidt"},  {5, "Silva"},
    {5, "Simon"},    {5, "Singh"},   {6, "Sommer"},  {5, "Stein"},   {8, "Svensson"}, {6, "Tanaka"},
    {6, "Torres"},   {5, "Urban"},   {5, "Varga"},   {5, "Vogel"},   {6, "Wagner"},   {5, "Weber"},
    {5, "Weiss"},    {6, "Winter"},  {4, "Wolf"},    {6, "Yilmaz"},  {6, "Zeller"},
};

static const struct word last_lower[] = {
    {4, "abel"},     {5, "adler"},   {7, "almeida"}, {5, "amsel"},   {6, "arnold"},   {6, "bakker"},
    {8, "banerjee"}, {6, "becker"},  {4, "berg"},    {7, "bianchi"}, {4, "blom"},     {5, "bosch"},
    {6, "brandt"},   {7, "carlsen"}, {6, "castro"},  {5, "cerny"},   {4, "chen"},     {5, "costa"},
    {4, "dahl"},     {5, "demir"},   {4, "diaz"},    {6, "dubois"},  {5, "ekman"},    {5, "engel"},
    {6, "farkas"},   {7, "fischer"}, {7, "fonseca"}, {5, "fuchs"},   {6, "garcia"},   {6, "gruber"},
    {4, "haas"},     {6, "hansen"},  {7, "hartman"}, {6, "hassan"},  {7, "hoffman"},  {4, "holm"},
    {6, "horvat"},   {5, "ibsen"},   {3, "ito"},     {6, "jansen"},  {6, "jensen"},   {4, "kaya"},
    {6, "keller"},   {4, "khan"},    {3, "kim"},     {5, "klein"},   {5, "kovac"},    {5, "kruse"},
    {5, "kumar"},    {4, "lang"},    {6, "larsen"},  {5, "leroy"},   {4, "lind"},     {5, "lopez"},
    {4, "lund"},     {5, "maier"},   {6, "marino"},  {6, "martin"},  {5, "meyer"},    {4, "mori"},
    {6, "moreau"},   {4, "nagy"},    {6, "nakata"},  {7, "nielsen"}, {5, "novak"},    {6, "okafor"},
    {5, "olsen"},    {6, "ortega"},  {4, "osei"},    {6, "palmer"},  {4, "park"},     {7, "pereira"},
    {6, "petrov"},   {4, "pohl"},    {5, "popov"},   {5, "quist"},   {4, "reis"},     {7, "richter"},
    {5, "rossi"},    {4, "roth"},    {4, "ruiz"},    {4, "sato"},    {7, "schmidt"},  {5, "silva"},
    {5, "simon"},    {5, "singh"},   {6, "sommer"},  {5, "stein"},   {8, "svensson"}, {6, "tanaka"},
    {6, "torres"},   {5, "urban"},   {5, "varga"},   {5, "vogel"},   {6, "wagner"},   {5, "weber"},
    {5, "weiss"},    {6, "winter"},  {4, "wolf"},    {6, "yilmaz"},  {6, "zeller"},
};

static const struct word title[] = {
    {3, "Mr."}, {4, "Mrs."}, {3, "Ms."}, {4, "Miss"}, {3, "Mx."}, {3, "Dr."}, {5, "Prof."},
};

static const struct word gender[] = {
    {6, "Female"}, {4, "Male"}, {10, "Non-binary"}, {5, "Other"}, {10, "Not stated"},
};

static const struct word language[] = {
    {6, "Arabic"},    {7, "Bengali"},   {9, "Bulgarian"}, {7, "Catalan"},     {8, "Croatian"},
    {5, "Czech"},     {6, "Danish"},    {5, "Dutch"},     {7, "English"},     {8, "Estonian"},
    {7, "Finnish"},   {6, "French"},    {6, "German"},    {5, "Greek"},       {6, "Hebrew"},
    {5, "Hindi"},     {9, "Hungarian"}, {9, "Icelandic"}, {5, "Irish"},       {7, "Italian"},
    {8, "Japanese"},  {6, "Korean"},    {7, "Latvian"},   {10, "Lithuanian"}, {5, "Malay"},
    {9, "Norwegian"}, {7, "Persian"},   {6, "Polish"},    {10, "Portuguese"}, {8, "Romanian"},
    {6, "Slovak"},    {7, "Spanish"},   {7, "Swahili"},   {7, "Swedish"},     {5, "Tamil"},
    {4, "Thai"},      {7, "Turkish"},   {9, "Ukrainian"}, {4, "Urdu"},        {10, "Vietnamese"},
};

static const struct word degree[] = {
    {4, "None"},   {9, "Associate"}, {8, "Bachelor"}, {8, "Bachelor"}, {8, "Bachelor"},
    {6, "Master"}, {6, "Master"},    {7, "Diploma"},  {3, "PhD"},      {18, "Doctor of Medicine"},
};

static const struct word nationality[] = {
    {9, "Argentine"}, {10, "Australian"},    {8, "Austrian"},    {7, "Belgian"},     {9, "Brazilian"},
    {7, "British"},   {8, "Canadian"},       {7, "Chilean"},     {7, "Chinese"},     {9, "Colombian"},
    {8, "Croatian"},  {5, "Czech"},          {6, "Danish"},      {5, "Dutch"},       {8, "Egyptian"},
    {8, "Estonian"},  {7, "Finnish"},        {6, "French"},      {6, "German"},      {8, "Ghanaian"},
    {5, "Greek"},     {9, "Hungarian"},      {9, "Icelandic"},   {6, "Indian"},      {10, "Indonesian"},
    {5, "Irish"},     {7, "Israeli"},        {7, "Italian"},     {8, "Japanese"},    {6, "Kenyan"},
    {6, "Korean"},    {7, "Latvian"},        {8, "Lebanese"},    {9, "Malaysian"},   {7, "Mexican"},
    {8, "Moroccan"},  {13, "New Zealander"}, {8, "Nigerian"},    {9, "Norwegian"},   {9, "Pakistani"},
    {8, "Peruvian"},  {6, "Polish"},         {10, "Portuguese"}, {8, "Romanian"},    {10, "Senegalese"},
    {6, "Slovak"},    {13, "South African"}, {7, "Spanish"},     {7, "Swedish"},     {5, "Swiss"},
    {4, "Thai"},      {7, "Turkish"},        {9, "Ukrainian"},   {10, "Vietnamese"},
};

static const struct word occupation[] = {
    {10, "Accountant"},
    {7, "Actuary"},
    {9, "Archivist"},
    {5, "Baker"},
    {9, "Beekeeper"},
    {10, "Bookbinder"},
    {10, "Bricklayer"},
    {10, "Bus Driver"},
    {9, "Carpenter"},
    {12, "Cartographer"},
    {7, "Chemist"},
    {13, "Choreographer"},
    {5, "Clerk"},
    {4, "Cook"},
    {12, "Dental Nurse"},
    {10, "Dispatcher"},
    {11, "Electrician"},
    {12, "Farm Manager"},
    {13, "Ferry Captain"},
    {11, "Firefighter"},
    {7, "Florist"},
    {8, "Forester"},
    {8, "Gardener"},
    {9, "Geologist"},
    {7, "Glazier"},
    {16, "Graphic Designer"},
    {13, "Harbour Pilot"},
    {12, "Head Teacher"},
    {11, "Hydrologist"},
    {11, "Interpreter"},
    {6, "Joiner"},
    {10, "Journalist"},
    {5, "Judge"},
    {14, "Lab Technician"},
    {9, "Librarian"},
    {9, "Locksmith"},
    {9, "Machinist"},
    {15, "Marine Engineer"},
    {8, "Mechanic"},
    {7, "Midwife"},
    {6, "Miller"},
    {8, "Musician"},
    {16, "Network Engineer"},
    {6, "Notary"},
    {5, "Nurse"},
    {8, "Optician"},
    {9, "Paramedic"},
    {10, "Pharmacist"},
    {12, "Photographer"},
    {9, "Physicist"},
    {7, "Plumber"},
    {13, "Postal Worker"},
    {6, "Potter"},
    {7, "Printer"},
    {11, "Proofreader"},
    {14, "Radio Operator"},
    {6, "Roofer"},
    {9, "Sailmaker"},
    {16, "School Caretaker"},
    {9, "Shoemaker"},
    {15, "Signal Engineer"},
    {13, "Social Worker"},
    {18, "Software Developer"},
    {12, "Statistician"},
    {10, "Stonemason"},
    {8, "Surveyor"},
    {6, "Tailor"},
    {12, "Train Driver"},
    {10, "Translator"},
    {5, "Tuner"},
    {11, "Upholsterer"},
    {12, "Veterinarian"},
    {17, "Warehouse Manager"},
    {10, "Watchmaker"},
    {6, "Weaver"},
    {6, "Welder"},
    {9, "Zookeeper"},
};

static const struct word blood[] = {
    {2, "O+"}, {2, "O-"}, {2, "A+"}, {2, "A-"}, {2, "B+"}, {2, "B-"}, {3, "AB+"}, {3, "AB-"},
};

static const struct word street[] = {
    {5, "Alder"},  {5, "Amber"},   {6, "Anchor"},  {6, "Arbour"},   {3, "Ash"},     {5, "Aspen"},
    {6, "Beacon"}, {5, "Birch"},   {6, "Bridge"},  {5, "Brook"},    {5, "Canal"},   {5, "Cedar"},
    {6, "Chapel"}, {6, "Cherry"},  {6, "Church"},  {5, "Cliff"},    {6, "Clover"},  {6, "Copper"},
    {5, "Coral"},  {6, "Corner"},  {6, "Cotton"},  {4, "Dale"},     {4, "Dune"},    {5, "Elder"},
    {3, "Elm"},    {6, "Falcon"},  {4, "Fern"},    {5, "Ferry"},    {5, "Field"},   {5, "Flint"},
    {5, "Forge"},  {3, "Fox"},     {6, "Garden"},  {7, "Granite"},  {5, "Grove"},   {7, "Harbour"},
    {5, "Hazel"},  {7, "Heather"}, {5, "Heron"},   {4, "Hill"},     {5, "Holly"},   {7, "Juniper"},
    {4, "Kiln"},   {4, "Lake"},    {7, "Lantern"}, {5, "Larch"},    {6, "Laurel"},  {4, "Lime"},
    {6, "Linden"}, {4, "Lock"},    {5, "Maple"},   {6, "Market"},   {5, "Marsh"},   {6, "Meadow"},
    {4, "Mill"},   {4, "Mint"},    {4, "Moss"},    {3, "Oak"},      {7, "Orchard"}, {5, "Otter"},
    {4, "Park"},   {6, "Pebble"},  {4, "Pine"},    {4, "Plum"},     {6, "Poplar"},  {6, "Quarry"},
    {4, "Quay"},   {5, "Raven"},   {4, "Reed"},    {5, "Ridge"},    {5, "River"},   {4, "Rope"},
    {5, "Rowan"},  {6, "Saddle"},  {4, "Sage"},    {4, "Salt"},     {6, "School"},  {5, "Shore"},
    {6, "Silver"}, {5, "Slate"},   {6, "Spring"},  {6, "Spruce"},   {7, "Station"}, {5, "Stone"},
    {4, "Swan"},   {7, "Thistle"}, {5, "Tower"},   {6, "Valley"},   {4, "Vine"},    {6, "Walnut"},
    {5, "Water"},  {4, "Well"},    {6, "Willow"},  {8, "Windmill"}, {4, "Wool"},    {3, "Yew"},
};

static const struct word street_kind[] = {
    {6, "Street"},  {6, "Street"}, {6, "Street"}, {4, "Road"},    {4, "Road"}, {4, "Lane"},
    {6, "Avenue"},  {3, "Way"},    {6, "Square"}, {5, "Court"},   {3, "Row"},  {5, "Close"},
    {7, "Terrace"}, {4, "Walk"},   {4, "Rise"},   {7, "Gardens"},
};

static const struct word city[] = {
    {10, "Aldermouth"},    {12, "Amberley Bay"},  {8, "Ashcombe"},        {9, "Bellhaven"},
    {9, "Birchford"},      {10, "Blackwater"},    {12, "Brackenfield"},   {10, "Bridgeholm"},
    {10, "Brightwell"},    {13, "Calder Bridge"}, {10, "Castlemere"},     {11, "Cedar Falls"},
    {10, "Clearwater"},    {9, "Coldbrook"},      {9, "Copperton"},       {9, "Dunhollow"},
    {9, "Eastmarch"},      {9, "Elmsworth"},      {9, "Fairhaven"},       {11, "Fallowfield"},
    {7, "Fenwick"},        {9, "Ferryport"},      {6, "Foxley"},          {8, "Glenrock"},
    {9, "Goldcrest"},      {12, "Graniteville"},  {10, "Greenhythe"},     {10, "Harrowgate"},
    {10, "Hazelbrook"},    {10, "Heronsgate"},    {8, "Highmoor"},        {16, "Ironbridge Cross"},
    {13, "Kestrel Point"}, {10, "Kingsferry"},    {8, "Lakemont"},        {9, "Larkfield"},
    {11, "Linden Hill"},   {8, "Lowmarsh"},       {9, "Marlstone"},       {10, "Meadowbank"},
    {9, "Millbrook"},      {8, "Moorgate"},       {14, "Newhaven Cross"}, {9, "Northwick"},
    {8, "Oakridge"},       {8, "Old Quay"},       {12, "Orchard Park"},   {9, "Otterburn"},
    {12, "Pebble Beach"},  {9, "Pinehurst"},      {10, "Port Alder"},     {10, "Quarrytown"},
    {11, "Ravensworth"},   {8, "Redcliff"},       {9, "Riverside"},       {8, "Rockport"},
    {9, "Rowanburn"},      {9, "Saltmarsh"},      {8, "Seabrook"},        {10, "Silverlake"},
    {9, "Southmere"},      {10, "Springdale"},    {10, "Stonehaven"},     {11, "Summerfield"},
    {10, "Swanbourne"},    {9, "Thornbury"},      {12, "Three Rivers"},   {9, "Tidewater"},
    {10, "Upper Mill"},    {11, "Valley View"},   {12, "Walnut Creek"},   {9, "Waterford"},
    {9, "Westbrook"},      {10, "Whitecliff"},    {10, "Willowdale"},     {11, "Windermouth"},
    {12, "Winterbourne"},  {9, "Woodhaven"},      {6, "Wyvern"},          {6, "Yarrow"},
};

static const struct word region[] = {
    {9, "Northmark"},         {9, "Southmark"},       {8, "Eastvale"},         {8, "Westvale"},
    {8, "Highland"},          {7, "Lowland"},         {8, "Lakeland"},         {8, "Midshire"},
    {16, "Coastal District"}, {14, "River Province"}, {12, "Hill Country"},    {13, "Forest Region"},
    {14, "Harbour County"},   {6, "Plains"},          {15, "Island District"}, {12, "Upper Valley"},
    {12, "Lower Valley"},     {14, "Border Country"}, {14, "Central Region"},  {5, "Delta"},
};

static const struct word country[] = {
    {2, "AR"}, {2, "AT"}, {2, "AU"}, {2, "BE"}, {2, "BR"}, {2, "CA"}, {2, "CH"}, {2, "CL"}, {2, "CN"},
    {2, "CO"}, {2, "CZ"}, {2, "DE"}, {2, "DK"}, {2, "EE"}, {2, "EG"}, {2, "ES"}, {2, "FI"}, {2, "FR"},
    {2, "GB"}, {2, "GH"}, {2, "GR"}, {2, "HU"}, {2, "IE"}, {2, "IN"}, {2, "IS"}, {2, "IT"}, {2, "JP"},
    {2, "KE"}, {2, "KR"}, {2, "LT"}, {2, "LV"}, {2, "MA"}, {2, "MX"}, {2, "MY"}, {2, "NG"}, {2, "NL"},
    {2, "NO"}, {2, "NZ"}, {2, "PE"}, {2, "PL"}, {2, "PT"}, {2, "RO"}, {2, "SE"}, {2, "SK"}, {2, "TH"},
    {2, "TR"}, {2, "UA"}, {2, "US"}, {2, "VN"}, {2, "ZA"},
};

static const struct word domain[] = {
    {11, "example.com"},  {11, "example.org"},  {11, "example.net"},
    {12, "mail.example"}, {12, "post.example"}, {13, "inbox.example"},
};

static const struct word make[] = {
    {7, "Aurelio"},   {9, "Brandvold"}, {9, "Castellan"}, {6, "Dalmar"}, {7, "Estrela"},
    {9, "Fjordline"}, {8, "Galliard"},  {7, "Halcyon"},   {6, "Ingram"}, {5, "Jotun"},
};

static const struct word model[] = {
    {5, "Comet"},  {5, "Drift"},  {5, "Ember"}, {4, "Gale"},   {4, "Kite"},
    {6, "Lagoon"}, {6, "Merlin"}, {5, "Pilot"}, {6, "Ranger"}, {6, "Zephyr"},
};

#define LIST(items)                            \
    {                                          \
        items, sizeof(items) / sizeof *(items) \
    }
const struct words faker_words[WORD_LIST_COUNT] = {
    [WORDS_FIRST] = LIST(first),
    [WORDS_FIRST_LOWER] = LIST(first_lower),
    [WORDS_LAST] = LIST(last),
    [WORDS_LAST_LOWER] = LIST(last_lower),
    [WORDS_TITLE] = LIST(title),
    [WORDS_GENDER] = LIST(gender),
    [WORDS_LANGUAGE] = LIST(language),
    [WORDS_DEGREE] = LIST(degree),
    [WORDS_NATIONALITY] = LIST(nationality),
    [WORDS_OCCUPATION] = LIST(occupation),
    [WORDS_BLOOD] = LIST(blood),
    [WORDS_STREET] = LIST(street),
    [WORDS_STREET_KIND] = LIST(street_kind),
    [WORDS_CITY] = LIST(city),
    [WORDS_REGION] = LIST(region),
    [WORDS_COUNTRY] = LIST(country),
    [WORDS_DOMAIN] = LIST(domain),
    [WORDS_MAKE] = LIST(make),
    [WORDS_MODEL] = LIST(model),
};
