//! Words that keys of interfaces are made of.
//!
//! A key goes in, whether it may be shown comes out. A client may use a name or
//! another value as a key, so only keys made of these words are shown.

use std::{collections::HashSet, sync::LazyLock};

/// A number behind a word (`phq9`, `q_12`) has at most this many digits.
const MAX_NUMBER_LENGTH: usize = 3;

/// The words, sorted, in lower case: keys of the detectors, of the trackers'
/// interfaces and of forms about health. No first name is among them.
const WORDS: &str = "\
a aaid abortion abuse ac access accesstoken account accounts ace acid acidreflux acne action \
actionname actions actionsourceurl acxiom acxiomid addiction additional \
additionaleventparameters addr1 address address1 address2 addresses addressinfo addressline1 \
adhd adhdassessment adhdquiz adhdtest adid adidtype admin admission admissiondate admitdate \
ads advancedmatching advertising advertisingid affirming age agent agoraphobia aids aifa \
album alcohol alcoholabuse alcoholdependence alcoholic alcoholicanonymous alcoholism \
alcoholtreatment alcoholuse allergies allergy also amount and andi android androidid anemia \
angina anon anonid anonymous anonymousid anorexia answer answers anxiety anxietyquiz \
anxietytest anxious any api apikey apisecret apnea app appinstanceid applicant application \
appointment appointments appointmenttype appointmentwith appsflyer appsflyerid appt appttype \
args array arrays arrhythmia arthritis as asrs assessment assessmentname assessmenttype \
asthma at attack attendingphysician attribute attributes audience audit auditc auth auth1 \
authorization autism autistic auto axciom axciomid b64 b64url barber base64 base64url basic \
batch batches bday be beckdepression behavior behavioral behavioralhealth behavioraltherapy \
beneficiary benefits billing binary binge bingedrinking bingeeating bipolar birth \
birthcontrol birthdate birthday birthmonth birthyear blood bmi bocs bodies body \
bodydysmorphia booked borderline borderlinepersonality br breadcrumbs browser bulimia bulk \
button by c c1 ca cage callback callbackparams caller callerid campaign cancer car carcinoma \
cardiologist cardiology care caregiver carepath careplan carrier cart categories category \
cbt cd cd1 cd200 celiac cell cellnumber cellphone cfconnectingip cfconnectingipv6 chartid \
chartno chartnumber checker checkout chemotherapy chief chiefcomplaint child chlamydia \
chocolate chronic chronicpain chunked cid cip cirrhosis city clarity click clickid clid \
client clientid clientip clientipaddress clients clientuseragent clinic clinical \
clinicalassessment clinician clinicianname cm co cocaine code cognitive cognitivebehavioral \
coinsurance colitis collect columbiasuicide comment company companyname complaint completed \
compulsive concern concerns condition conditions config consent consult consultation \
consultdate consulttype contact contactid contactkey contactnumber contacts content \
contentcategory contentid contentids contentitems contentname contents contenttype context \
contraception contraceptive control conversion conversionaction conversionid conversions \
conversionvalue cookie cookie1 cookieid cookies copay copayamount copayment copd count \
country countrycode couples couplestherapy coverage coveragetype covid created crm crmid \
cssrs csv ct ctwa ctwaclid currency current currentmedication currentmedications \
currenttreatment currenturl custom customattributes customdata customer customeremails \
customerid customerlistitems customers customeruserid customeventname customuserid \
customvariables cx cycle cyclelength d dass dass21 dast dast10 data datafields date \
dateofbirth dateofservice dateofvisit days db dbt dclid deductible default definition \
dementia demo department dependence dependent depressed depression depressionquiz \
depressiontest depressive dermatitis dermatologist dermatology description detail details \
detox developer developeridentity device deviceid deviceids deviceinfo deviceua dh diabetes \
diabetic diagnoses diagnosis diagnosiscode diagnosiscodes diagnosisname dialectical \
dialecticalbehavior dialysis dimension dimensionn dimensions discharge dischargedate disease \
disorder display displayname distinct distinctid dl do dob dobd dobm doby doctor doctorname \
doctorvisit documentlocation dom domainuserid dos dosage dosagestrength dose dp dr drinking \
drinkingproblem drinksperweek drive drug drugabuse drugcode drugname druguse dt due duid \
duration dx dxcode dynamic dysfunction dysmorphia dysphoria e ea eat eat26 eating \
eatingdisorder ec ecid eczema edinburghpostnatal eidm eids ejaculation el electroconvulsive \
elements eligibility em email emailaddress emailaddresses emailhash emaillcsha256 emails \
emailsha256 emdr emergency emergencycontraception en enc encounter encounterid encountertype \
encrypted encrypteduserid end endocrinologist endocrinology endometriosis entries entry \
envelope environment ep epds epik epilepsy epileptic episode epn erectile \
erectiledysfunction ethnicity ev evar1 even event eventaction eventcategory eventdata \
eventdefinitionkey eventid eventlabel eventmetadata eventname eventproperties events \
eventsourceurl eventtoken eventtype eventvalue everything evt evtdata evtname exposure \
exposuretherapy external externaldeviceid externalid externalidentifiers externalids \
externaluserid f f5 f5first f5last facility failure false family familyname familytherapy \
fashion fastlyclientip fax faxnumber fb fbc fbclid fbloginid fbp female fertility fi \
fibromyalgia field fieldname fields file first firstname flags floodlight fmt fn fn0 fname \
followup for form formdata forwarded free from full fullname fullurl g ga gaclientid gad \
gad2 gad7 gaid game gaming gastroenterologist gbraid gclid ge gender genderaffirming \
genderidentity genital genitalwart geo geoid get git given givenname glucose goal goals \
gonorrhea google gout gps gpsadid group groupid groupno groupnumber grouptherapy grpc \
guardian guest gum gynecologist gynecology gzip h h2 hair haircut hairloss harm has hash \
hashed hashedemail hashedemails hashedfirstname hashedfirstnamesha hashedipaddress \
hashedlastname hashedmaids hashedphonenumber hashedstreetaddress hashes hashmethod header \
headers health healthassessment healthconcern healthcondition healthinsurance healthplan \
healthplanid healthplanname healthquestionnaire heart heartdisease heartfailure height hello \
help hem hepatitis heroin herpes hex history hit hits hiv holder home homeaddress homecity \
hometown hormone hormonereplacement hormonetherapy hospital host hpv hr href hyperlipidemia \
hypertension hyperthyroidism hypothyroidism icd icd10 icd10cm icd10code icdcode icdcodes id \
ideation identification identifier identifiers identifiertype identify identities identity \
identitylink identitymap idfa idfv ids idtype idtypes idvalue ifa illness imei in incl \
indication individual individualtherapy infection infertility info inpatient input inputs \
insertion inside insomnia instance insurance insurancecarrier insurancecompany \
insurancegroup insurancegroupnumber insuranceid insurancememberid insurancename \
insurancenumber insurancepayer insuranceplan insuranceplanname insurancepolicynumber \
insuranceprovider insurancetype insurer insurername intake intakeassessment intakedate \
intakeform intakequestionnaire intakesession interest interests internal invitro ip \
ipaddress ipoverride ipv4 is isi ispregnant issue issues item itemcategory itemname items \
itemurl iud iv ivf js json jsonarray juice k k10 k6 ketamine ketaminetherapy key keys \
keyword keywords kidney kidneydisease kind kochavadeviceid la lab label labels labs landing \
landingpageurl language last lastmenstrualperiod lastname lastperiod lastseenip lat latitude \
layers lc lcsw lead leadid leads leaks legacy legal legalname leukemia level lib libido \
library lifatid life line line1 line2 lineitems lines link linked linkedin \
linkedinfirstpartyadstrackinguuid list living lmft lmhc lmp ln ln0 lname lng loader locale \
location locationlat locationlng locations log login logperiod lon longitude loss low lower \
lowercase lowlibido lpc lupus lymphoma lz m madid magnetic maid maidenname maids mail \
mailing mailingaddress major majordepressive male man management manic manicepisode map \
marital marketing match matchid matchkeys matrix mbi mbox mbox3 mbox3rdpartyid \
mboxparameters md md5 mdq med medicaidid medical medicalcondition medicalintake \
medicalquestionnaire medicalrecord medicalrecordno medicalrecordnumber medicareid medication \
medicationmanagement medicationname medications medium meds melanoma member memberid \
memberno membernumber menopause menstrual menstruation mental mentalhealth mentalillness \
merge mergefields message messageid messages meta metadata methamphetamine method metric mid \
middle middlename migraine miscarriage mistake moat mobile mobiledeviceid mobileid \
mobilenumber mobilephone modified mood mooddisorder movie mrn msclkid msgpack msisdn muid \
multipart multiple multiplesclerosis music my n na name names nan narcolepsy \
nationalprovider nb ndc ndccode nephrologist nested network neurologist neurology neuropathy \
new newline news newsletter nextvisit nick nil no node nonbinary none normalized note notes \
notifications notset np npi npinumber nuid null num number nurse nursepractitioner o oauth1 \
ob obclickid obesity obj object objects obsessive obsessivecompulsive obstetrician ocd of \
office officevisit old on once oncologist oncology one online onlinetherapy open openrtb \
openudid opiate opioid oppref opt option options or oracle oraclemoatid order orderid orders \
org organization origination originationip os osteoporosis other our outofpocketmax \
outpatient over overdose override ovulation ovulationdate p package page pagelocation \
pagename pagepath pagereferrer pagetitle pageuri pageurl pageview pain panic panicattack \
panicdisorder parameters params paranoia parent partner partnerid partnerparams party path \
pathname patient patientid patientintake patientno patientnumber patients patientuuid payer \
payerid payername payload pcl pcl5 pcos pediatrician people per perfume period perioddate \
periodlog periodstart periodtracker person personal personality personalitydisorder \
personproperties pet ph pharmacy pharmacyname pharmacyplan pharmacyplanname phd phint phobia \
phone phonehash phonenumber phonenumbers phones phq phq15 phq2 phq4 phq8 phq9 phqa physician \
physicianname pid pii pixel pixels place placecontext plain plan planid planname plantype \
platform pmhnp pn policy policyid policyno policynumber port post postal postalcode postcode \
postmaster postnatal postpartum posttraumatic pr practice practitioner preferred \
preferredname pregnancy pregnancyduedate pregnancystatus pregnancyweek pregnant premature \
prematureejaculation prenatal prescriber prescribername prescription prescriptionname \
prescriptions presentingproblem press pressure previous previousid previousurl price primary \
primarydiagnosis primarydx priorauth priorauthorization privacy problem problems procedure \
product productaction productid productname products profile profiledata profileid profiles \
program programname prop1 properties property props protection protobuf provider \
providername providernpi providerspecialty providertype province psoriasis psqi psychiatric \
psychiatrist psychiatry psychologist psychosis psychotherapy psychotic psyd ptsd purchases \
px python q quantity query question questionid questionnaire questionnairename questions \
questiontext quit quitdrinking quiz quizname r race radiation radiationtherapy ramp rampid \
rate raw rd rdtcid realtor reason reasonforvisit received recipient record records redacted \
ref referer referral referred referrer referrerurl refill refills reflux refr region \
relaxing remoteaddr remoteip renderingprovider replacement replay request requests response \
responses rest result results rheumatologist rida risk rl root rosacea rpc rtb rx rxbin \
rxcui rxgroup rxname rxpcn s s2 s2s sales salon same sc sccid scclickid sccookie1 scheduled \
schizoaffective schizophrenia sclerosis scoff score scores screen screendimensions screener \
screening screenname sdk sdx se seac search searchstring searchterm seca secondary secret \
security seen segment seizure sela self selfassessment selfharm sends sent separated sepr \
service servicedate servicename servicetype session sessions sessiontype set setonce \
settings several severaldays severity sex sexatbirth sexual sexualdysfunction sexually \
sexuallytransmitted sha sha1 sha256 sha256email sha256emailaddress sha256firstname \
sha256lastname sha256phonenumber sha256street shipping showroom sickle sicklecell siflag \
site sleep sleepapnea smoking sms smsnumber soap sober soberliving sobriety sobrietydate \
socialsecurity socialsecuritynumber song soundex source sourceurl specialist speciality \
specialty spouse ssn ssnumber ssrs st start started state status step steps store street \
street1 streetaddress stress string submitted subscriber subscriberid subscription \
subscriptionid subscriptions substance substanceabuse substanceuse suicidal suicidalideation \
suicidality suicide suiciderisk support surgery surname survey symptom symptomassessment \
symptomchecker symptomquiz symptoms syphilis tags talk talktherapy taxid td1 td10 tea \
tealium tealiumevent tealiumreferrer tealiumvisitorid team tel telehealth telemedicine \
telephone telephonenumber telepsychiatry teletherapy template tenant term test text the \
therapist therapistname therapy therapyplan therapysession therapytype third thirdpartyid ti \
ticket tid time timestamp timezone title tl tnuid to tobacco token tokenauth total \
totalscore town tr tracker tracking trackingtype traits transcranial transcranialmagnetic \
transfemale transgender transmale transmitted travel treatment treatmentfor treatmentid \
treatmentname treatmentplan treatments treatmenttype trichomoniasis trimester trouble \
troublerelaxing true trueclientip ttclid ttp tuberculosis tumor tv twclid type types tz u1 \
u100 ua ud udid ue uepr uepx uh uid uid2 uip ulcerative ulcerativecolitis undefined unknown \
unverified up updated upload upn uri url urlencoded urlref urn urologist urology use user \
useragent userattributes userdata useremail userid useridarray useridentifiers \
useridentities userids userinfo useripaddress userlocation username userphone userproperties \
users utm uu uuid uuidc1 v v1 v2 v3 v4 vaccine val value values var1 variables vars version \
vid video videovisit view virtual virtualvisit visit visitdate visitor visitorid visitreason \
visittype vitro vnd wart was wbraid web webinar webmaster webpagedetails weight who who5 \
with woman work write writekey ws www x xclientip xdm xforwardedfor xml xrealip y ybocs \
yearofbirth yeast yeastinfection your zip zipcode zp zstd";

static VOCABULARY: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| WORDS.split_ascii_whitespace().collect());

/// Whether `key` is a word of the vocabulary or is made wholly of such words,
/// joined by marks, by capitals or by short numbers.
pub(super) fn is_known(key: &str) -> bool {
    let folded: String = key
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if VOCABULARY.contains(folded.as_str()) {
        return true;
    }
    let words = split(key);
    let has_word = words
        .iter()
        .any(|word| word.bytes().any(|byte| byte.is_ascii_alphabetic()));
    has_word && words.iter().all(|word| is_word(word))
}

fn is_word(word: &str) -> bool {
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let number_length = word.len().saturating_sub(stem.len());
    VOCABULARY.contains(word)
        || (number_length <= MAX_NUMBER_LENGTH && (stem.is_empty() || VOCABULARY.contains(stem)))
}

/// Lower-case words, split at marks, at `fooBar`, `HTTPServer` and `q1a`.
/// Unlike the words that lexicons are matched against, none is left out.
fn split(key: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before: Option<char> = None;
    let mut chars = key.chars().peekable();
    while let Some(c) = chars.next() {
        let is_mark = !c.is_alphanumeric();
        let starts_word = before.is_some_and(|before| {
            let next_is_lower = chars.peek().is_some_and(|next| next.is_lowercase());
            (before.is_lowercase() && c.is_uppercase())
                || (before.is_uppercase() && c.is_uppercase() && next_is_lower)
                || (before.is_numeric() && c.is_alphabetic())
        });
        if (is_mark || starts_word) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if !is_mark {
            word.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_and_distinct() {
        let words: Vec<&str> = WORDS.split_ascii_whitespace().collect();
        assert!(words.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn keys_made_of_words_are_known() {
        for (key, expected) in [
            ("contact_email", true),
            ("contactEmail", true),
            ("client_ip_address", true),
            ("event_source_url", true),
            ("content_category", true),
            ("phq9_q1", true),
            ("phq9q1", true),
            ("$set_once", true),
            ("ud[em]", true),
            ("user-agent", true),
            ("FIRSTNAME", true),
            ("Averylla", false),
            ("averylla_email", false),
            ("emailAverylla", false),
            ("email_1234", false),
            ("123", false),
            ("_", false),
            ("", false),
        ] {
            assert_eq!(is_known(key), expected, "{key}");
        }
    }
}
