"""The prompts the published NotaGen networks were fine-tuned with (NotaGen spec 4.6): 112 of them."""

from sideman.music.sheet.prompts import INSTRUMENTATIONS

Triple = tuple[str, str, str]

# Art song, keyboard, chamber, orchestral, choral, vocal-orchestral.
_LETTERS = dict(zip("AKCOHV", INSTRUMENTATIONS, strict=True))
_COMPOSERS = {
    "Baroque": "Bach, Johann Sebastian CHKOV; Corelli, Arcangelo CO; Handel, George Frideric CKOV; Scarlatti, Domenico"
    " K; Vivaldi, Antonio COV",
    "Classical": "Beethoven, Ludwig van ACKO; Haydn, Joseph CKOV; Mozart, Wolfgang Amadeus CHKOV; Paradis, Maria"
    " Theresia von A; Reichardt, Louise A; Saint-Georges, Joseph Bologne C; Schroter, Corona A",
    "Romantic": "Bartok, Bela K; Berlioz, Hector H; Bizet, Georges A; Boulanger, Lili A; Boulton, Harold A; Brahms,"
    " Johannes ACHKO; Burgmuller, Friedrich K; Butterworth, George A; Chaminade, Cecile A; Chausson, Ernest A; Chopin,"
    " Frederic AK; Cornelius, Peter A; Debussy, Claude AK; Dvorak, Antonin CHKO; Faisst, Clara A; Faure, Gabriel ACK;"
    " Franz, Robert A; Gonzaga, Chiquinha A; Grandval, Clemence de A; Grieg, Edvard KO; Hensel, Fanny A; Holmes,"
    " Augusta Mary Anne A; Jaell, Marie A; Kinkel, Johanna A; Kralik, Mathilde A; Lang, Josephine A; Lehmann, Liza A;"
    " Liszt, Franz K; Mayer, Emilie C; Medtner, Nikolay K; Mendelssohn, Felix ACHKO; Munktell, Helena A; Parratt,"
    " Walter H; Prokofiev, Sergey K; Rachmaninoff, Sergei HK; Ravel, Maurice ACK; Saint-Saens, Camille CKO; Satie, Erik"
    " AK; Schubert, Franz ACHK; Schumann, Clara A; Schumann, Robert ACHK; Scriabin, Aleksandr K; Shostakovich, Dmitry"
    " CK; Sibelius, Jean K; Smetana, Bedrich K; Tchaikovsky, Pyotr KO; Viardot, Pauline A; Warlock, Peter A; Wolf, Hugo"
    " A; Zumsteeg, Emilie A",
}


def published_prompts() -> tuple[Triple, ...]:
    """(period, composer, instrumentation), in the order of the list."""
    found: list[Triple] = []
    for period, composers in _COMPOSERS.items():
        for entry in composers.split("; "):
            composer, _, letters = entry.rpartition(" ")
            found += [(period, composer, _LETTERS[letter]) for letter in letters]
    return tuple(found)


def knows_prompts(file: str) -> bool:
    """Whether a published file of this name was trained with prompts; pre-trained ones were not (NotaGen spec 3.4)."""
    return "finetune" in file or "notagenx" in file
