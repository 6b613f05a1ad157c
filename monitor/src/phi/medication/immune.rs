//! Names of drugs: immune system, rheumatism, asthma biologics.

/// Generic names and brands.
#[rustfmt::skip]
pub(super) const NAMES: &[&str] = &[
    "adalimumab", "etanercept", "infliximab", "golimumab", "certolizumab", "tocilizumab",
    "sarilumab", "anakinra", "abatacept", "tofacitinib", "baricitinib", "upadacitinib",
    "filgotinib", "deucravacitinib", "apremilast", "secukinumab", "ixekizumab", "brodalumab",
    "bimekizumab", "ustekinumab", "guselkumab", "risankizumab", "tildrakizumab", "mirikizumab",
    "vedolizumab", "spesolimab", "etrasimod", "canakinumab", "rilonacept", "humira", "hadlima",
    "hyrimoz", "cyltezo", "amjevita", "yuflyma", "idacio", "abrilada", "simlandi", "enbrel",
    "erelzi", "eticovo", "remicade", "inflectra", "renflexis", "zymfentra", "simponi",
    "cimzia", "actemra", "tyenne", "tofidence", "kevzara", "kineret", "orencia", "xeljanz",
    "olumiant", "rinvoq", "sotyktu", "otezla", "cosentyx", "taltz", "siliq", "bimzelx",
    "stelara", "wezlana", "selarsdi", "yesintek", "pyzchiva", "otulfi", "imuldosa", "tremfya",
    "skyrizi", "ilumya", "omvoh", "entyvio", "spevigo", "velsipity", "ilaris", "arcalyst",
    "belimumab", "anifrolumab", "voclosporin", "avacopan", "azathioprine", "mycophenolate",
    "mycophenolate mofetil", "cyclosporine", "tacrolimus", "sirolimus", "belatacept",
    "basiliximab", "leflunomide", "sulfasalazine", "penicillamine", "auranofin",
    "hydroxychloroquine sulfate", "benlysta", "saphnelo", "lupkynis", "tavneos", "imuran",
    "azasan", "cellcept", "myfortic", "neoral", "gengraf", "sandimmune", "prograf", "envarsus",
    "astagraf", "rapamune", "nulojix", "simulect", "thymoglobulin", "arava", "azulfidine",
    "cuprimine", "depen", "ridaura", "acthar", "purified cortrophin", "omalizumab",
    "dupilumab", "mepolizumab", "reslizumab", "benralizumab", "tezepelumab", "tralokinumab",
    "lebrikizumab", "nemolizumab", "depemokimab", "xolair", "omlyclo", "dupixent", "nucala",
    "cinqair", "fasenra", "tezspire", "adbry", "ebglyss", "nemluvio", "abrocitinib", "cibinqo",
    "immune globulin", "immunoglobulin infusion", "gammagard", "privigen", "octagam",
    "gamunex", "bivigam", "panzyga", "hizentra", "hyqvia", "cuvitru", "xembify", "lanadelumab",
    "berotralstat", "icatibant", "ecallantide", "garadacimab", "donidalorsen", "sebetralstat",
    "takhzyro", "orladeyo", "firazyr", "kalbitor", "haegarda", "cinryze", "berinert",
    "ruconest", "andembry", "dawnzera", "ekterly", "inebilizumab", "uplizna", "satralizumab",
    "enspryng",
];
