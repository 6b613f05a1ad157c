//! Words that keys of interfaces are made of.
//!
//! In: a key. Out: whether it may be shown. A client may use a name or another
//! value as a key, so only keys made of these words are shown.

use std::{collections::HashSet, sync::LazyLock};

/// A number behind a word (`phq9`, `q_12`) has at most this many digits.
const MAX_NUMBER_LENGTH: usize = 3;

/// The words, sorted, in lower case: keys of the detectors, of the trackers'
/// interfaces and of forms about health. No first name is among them.
const WORDS: &str = "\
a aaid aba abanumber abarouting abnormalflag abortion abuse ac access accesstoken accident \
account accountno accountnum accountnumber accountnumbers accounts acctno acctnum acctnumber ace \
achaccount acid acidreflux acne action actionname actions actionsourceurl activesi acxiom \
acxiomid addiction additional additionaleventparameters addr addr1 address address1 address2 \
addresses addressfull addressinfo addressline addressline1 addressstreet addrline1 adhd \
adhdassessment adhdquiz adhdtest adid adidtype adjustid admin administrativegender admission \
admissiondate admissiondt admitdate admitdt admittedat admittedon admittingdiagnosis adname ads \
adsetname adtrackingid advancedmatching advertising advertisingid afai affirming age ageinyears \
agency agent ageyears agoraphobia aids aifa ailment ajsanonymousid album alcohol alcoholabuse \
alcoholconsumption alcoholdependence alcoholfrequency alcoholic alcoholicanonymous alcoholism \
alcoholtreatment alcoholuse alias aliases allergies allergy allergyreaction also amid amount \
analyte analytecode and andi android androidadid androidadvertisingid androidid anemia angina \
ani anon anonid anonymous anonymousid anorexia answer answercode answers answervalue anxiety \
anxietylevel anxietyquiz anxietyscore anxietytest anxious any apellido apellidos api apikey \
apisecret apnea app appinstanceid appleadid applicant application appointment appointmentdt \
appointmentlocation appointmentmode appointmentprovider appointmentreason appointments \
appointmentspecialty appointmenttype appointmentwith appsetid appsflyer appsflyerid appt apptdt \
appttype areaofconcern args array arrays arrhythmia arthritis article articletitle artist as \
asin asrs assessment assessmentid assessmentname assessmenttype assignedprovider \
assignedtherapist asthma at attack attendee attendingphysician attribute attributes audience \
audiencemembers audit auditc auth auth1 author authorization autism autistic auto avatar \
avatarimage avatarimageurl avatarurl awc axciom axciomid b64 b64url babyduedate bankaccount \
bankaccountno bankaccountnumber bankacct bankrouting banner barber basalbodytemperature base64 \
base64url basic batch batchdata batches bcookie bdate bday be beckdepression beenintherapybefore \
behavior behavioral behavioralhealth behavioraltherapy beneficiary beneficiaryid benefit \
benefitplan benefits benefitslevel billcode billing billingaddress billingcode billingcodes \
billingdetails billingprovidernpi bin binary binge bingedrinking bingeeating biometric \
biometricdata biometrichash biometricid biometrics biometrictemplate bipolar birth birthcontrol \
birthcontrolmethod birthdate birthdatetime birthday birthdt birthmonth birthsex birthyear blog \
blood bloodtest bloodtestresult bluetoothaddress bluetoothmac bmi boat bocs bodies body \
bodydysmorphia booked borderline borderlinepersonality born borndate bornon br brand brandname \
breadcrumbs browser browserfingerprint browserid brthdt build bulimia bulk business button buyer \
by c c1 ca cage callback callbackparams caller callerid callernumber campaign campaignname \
cancer cannabisuse capsule capsules car carcinoma card cardholder cardholderid cardiologist \
cardiology cardno cardnum cardnumber care career careers caregiver carepath careplan \
careplanname careprogram careprovider careteam caretype carplate carrier cart catalog categories \
category cbt ccno ccnum ccnumber cd cd1 cd200 celiac cell cellno cellnumber cellphone \
cellphonenumber certificateno certificatenum certificatenumber cervicalmucus cfconnectingip \
cfconnectingipv6 challenge challenges chapter chargecode chart chartid chartno chartnum \
chartnumber charts checker checkingaccount checklist checkout chemotherapy chief chiefcomplaint \
child chlamydia chocolate chronic chronicpain chunked cid cip cirrhosis city cityname cjevent \
claimid claimno claimnumber clarity clck click clicked clickid clicks clid client clientid \
clientip clientipaddress clientname clients clientuseragent clinic clinical clinicalassessment \
clinicaldepartment clinician clinicianname clinicianspecialty clinicname cm co cocaine code \
codes codesystem codesystemname codetype codevalue codingscheme codingsystem codingsystemname \
cognitive cognitivebehavioral coinsurance colitis collect collection color colour \
columbiasuicide columns comment comorbidities comorbidity company companyname complaint \
completed compulsive concept conceptcode conceptid concern concerns condition conditioncode \
conditioncodes conditionname conditions condo config confirmed consent consult consultation \
consultdate consulttype contact contactid contactkey contactnumber contactpoint contacts content \
contentcategory contentgroup contentid contentids contentitems contentname contents contenttype \
context contraception contraceptionmethod contraceptive contraceptivemethod control conversion \
conversionaction conversionid conversions conversionvalue cookie cookie1 cookieid cookies \
coordinate coordinates coords copay copayamount copayment copd correo correoelectronico \
counselor count country countrycode county countyname couples couplestherapy coupon coverage \
coverageid coveragelevel coveragestatus coveragetype covid cpt cpt4 cpts created creditcard \
creditcardno creditcardnumber crisisrisk criteoid crm crmid cssrs csv ct ctwa ctwaclid currency \
current currentlyintherapy currentmedication currentmedications currentmeds currentprescriptions \
currenttreatment currenttreatments currenturl custom customattributes customdata customer \
customeremails customerid customerinfo customerkey customerlistitems customerno customernumber \
customers customeruserid customeventname customuserid customvariables cx cyber cycle cycleday \
cyclelength cyclephase d dass dass21 dast dast10 data datafields date dateadmitted datebirth \
datedischarged datenais datenaissance dateofadmission dateofappointment dateofbirth dateofdeath \
dateofdischarge dateofservice dateofsurgery dateofvisit dayphone days dayssober dayssupply \
daysupply db dbt dclid dea deaid deano deanum deanumber deathdate debitcardnumber deceaseddate \
deductible deductibleamount deductiblemet deductibleremaining default definition dementia demo \
department dependence dependent dependents deposit depressed depression depressionlevel \
depressionquiz depressionscore depressiontest depressive derivedepik dermatitis dermatologist \
dermatology description detail details detox developer developeridentity device \
devicefingerprint deviceguid deviceid deviceids deviceifa deviceinfo deviceserial deviceserialno \
deviceserialnumber devicetoken deviceua deviceuuid dh diabetes diabetic diag diagcode diagcodes \
diagnosed diagnosedconditions diagnosedwith diagnoses diagnosis diagnosiscode diagnosiscodes \
diagnosisdescription diagnosisname diagnostic dialectical dialecticalbehavior dialysis dicboid \
didmd5 didsha1 dimension dimensionn dimensions direccion discharge dischargedat dischargedate \
dischargedon dischargedt disease disorder dispensed dispensequantity display displayname \
distinct distinctid dl dlicensenumber dlno dlnum dlnumber do dob dobd dobdate dobday dobdt dobm \
dobmonth doby dobyear doctor doctorname doctorspecialty doctorvisit documentlocation dom domain \
domainuserid donor dos dosage dosageform dosageinstruction dosageinstructions dosagestrength \
dose doses dosfrom dosto dp dpidmd5 dpidsha1 dr drg drgcode drinking drinkingfrequency \
drinkingproblem drinksperday drinksperweek drive driverlicense driverlicenseid driverlicenseno \
driverlicensenumber driverlicnumber driverslicence driverslicense driverslicenseno \
driverslicensenumber driverslicnumber drivinglicence drivinglicencenumber drivinglicense drug \
drugabuse drugallergies drugcode drugname drugofchoice drugs drugsofchoice druguse dsm dsm5 \
dsm5code dsmcode dsmiv dsmv dsn dt due duedate duid duration dx dxcode dxcodes dynamic \
dysfunction dysmorphia dysphoria e ea earthquake eat eat26 eating eatingdisorder ec ecid \
ecommerce eczema edinburghpostnatal edition ehr ehrid ehrpatientid eidm eids ejaculation el \
electroconvulsive elements eligibility eligibilitystatus em email emailaddr emailaddress \
emailaddresses emailhash emailid emaill emaillcsha256 emailmd5 emails emailsha1 emailsha256 emd5 \
emdr emergency emergencycontact emergencycontraception emergencynumber eml empi employeeid \
employer emr emrid en enabled enc encounter encounterid encounterno encounternumber \
encountertype encrypted encrypteduserid end endocrinologist endocrinology endometriosis \
enduserid engine enrolleeid entries entry envelope environment ep epds epik epilepsy epileptic \
episode epn epo erectile erectiledysfunction esha1 esha256 ethernetmac ethnicity euid ev \
evaluation evar1 even event eventaction eventcategory eventdata eventdefinitionkey eventid \
eventlabel eventmetadata eventname eventproperties events eventsourceurl eventtoken eventtype \
eventvalue everything evt evtdata evtname experiment exposure exposuretherapy ext extern \
external externalcustomerid externaldeviceid externalid externalidentifiers externalids \
externaluserid f f5 f5first f5last faceembedding faceencoding facegeometry faceid faceimage \
facephoto faceprint facescan facetemplate facevector facialgeometry facialimage facialscan \
facialtemplate facility facilityname failure false family familyhistory familymedicalhistory \
familyname familytherapy fashion fastlyclientip father fax faxno faxnum faxnumber faxphone fb \
fbc fbclid fbloginid fbp fcmtoken feature fechanacimiento female fertilewindow \
fertilewindowstart fertility fi fibromyalgia fid field fieldname fields file filename filldate \
finger fingerprint fingerprintdata fingerprintid fingerprintimage fingerprints fingerprintscan \
fingerprinttemplate fireadid fireadvertisingid firmware first firstname firstnm flag flags \
flight floodlight fmt fn fn0 fname focusarea followup font for forename form formdata formname \
formulation forwarded forwardedfor free freight frequency from full fulladdress fullname fullurl \
functionalimpairment g ga gaclientid gad gad2 gad7 gaid game gaming gastroenterologist gate \
gbraid gclaw gcldc gclid ge geburtsdatum gender genderaffirming gendercode genderidentity \
genericname genital genitalwart genre geo geoid geolocation geopoint gestationalage \
gestationalweek get gid git given givenname givennames glucose goal goals gonorrhea goods google \
googleadid googleadvertisingid gout gps gpsadid gpscoordinates gpslocation gravida group groupid \
groupname groupno groupnum groupnumber groups grouptherapy grpc gtin guardian guest guestid gum \
gynecologist gynecology gzip h h2 hair haircut hairloss handgeometry handle hardware hardwareid \
harm has hash hashealthinsurance hashed hashedemail hashedemails hashedfirstname \
hashedfirstnamesha hashedipaddress hashedlastname hashedmaids hashedphonenumber \
hashedstreetaddress hashedvalue hashes hashmethod hashvalue hasinsurance hcpc hcpcs header \
headers headshot headshoturl health healthassessment healthcareprovider healthconcern \
healthconcerns healthcondition healthconditions healthgoal healthgoals healthhistory \
healthinsurance healthinsuranceprovider healthissue healthissues healthplan \
healthplanbeneficiaryid healthplanbeneficiarynumber healthplanid healthplanmemberid \
healthplanname healthplannumber healthquestionnaire healthrecordnumber heart heartdisease \
heartfailure height hello help helpwith hem hems hepatitis heroin herpes hex hicn hiring history \
hit hits hiv hmo holder home homeaddress homecity homeowner homeowners homephone hometown \
homicidalideation hormone hormonereplacement hormonetherapy hospital hospitalizedon hospitalname \
hospitalnumber hospitalpatientid host hostname hpv hr href hstc hubspotutk hutk hwid \
hyperlipidemia hypertension hyperthyroidism hypothyroidism iban ibannumber icd icd10 icd10cm \
icd10code icd10pcs icd11 icd9 icd9cm icdcode icdcodes icds id id5id ideation identification \
identifier identifiers identifiertype identify identities identity identitychanges identitylink \
identitymap identitytype identityvalue idfa idfas idfv idlenv idphoto ids idtype idtypes idvalue \
ifa igshid illness image imageurl imaging imagingtype imei imei1 imei2 imeinumber \
immunizationdate implantid in incl indication individual individualtherapy infection infertility \
info initials injection injections innetwork inpatient input inputs insertion inside insomnia \
installationid installid instance instrument insurance insurancecardnumber insurancecarrier \
insurancecompany insurancecoverage insuranceeligibility insurancegroup insurancegroupid \
insurancegroupno insurancegroupnumber insuranceid insurancememberid insurancememberno \
insurancemembernumber insurancename insurancenetwork insuranceno insurancenumber insurancepayer \
insurancepayor insuranceplan insuranceplanid insuranceplanname insuranceplantype insurancepolicy \
insurancepolicyid insurancepolicyno insurancepolicynumber insuranceprovider insurancestatus \
insurancesubscriberid insurancetype insuranceverified insured insuredid insurer insurername \
intake intakeassessment intakedate intakeform intakequestionnaire intakesession interest \
interests internal interpretation invitee invitro iosadvertisingid iosidfa iosidfv ip ipaddr \
ipaddress ipaddresses ipoverride ips ipv4 ipv4address ipv6 ipv6address irclickid iriscode \
irisscan iristemplate is isi ispregnant issue issues item itemcategory itemcode itemid \
itemlistname itemname items itemurl itin iud iv ivf js json jsonarray juice k k10 k6 kclickid \
ketamine ketaminetherapy key keys keyword keywords kidney kidneydisease kin kind klaid \
knownallergies knownidentities kochavadeviceid la lab labcode label labels labname laboratory \
laboratoryresult laboratorytest laborder laborders labpanel labreport labresult labresults labs \
labtest labtestcode labtestname labtests labtype labvalue labvalues landing landingpageurl \
landline landlord language last last4ssn lastfourssn lastmenstrualperiod lastname lastnm \
lastperiod lastperioddate lastseenip lat latitude latlng latlon latlong layers lc lcsw lead \
leadid leads leaks legacy legal legalname lens leukemia level levels liability liadsfirstpartyid \
lib libido library licenceno licencenum licencenumber licenceplate licenseid licenseno \
licensenum licensenumber licenseplate licenseplateno licenseplatenumber lifatid life line line1 \
line2 lineitems lines link linked linkedin linkedinfirstpartyadstrackinguuid linkid list \
listname living ll lmft lmhc lmp lmpdate ln ln0 lname lng loader locale locality location \
locationlat locationlng locations log login loginid logperiod loinc loinccode loincs lon \
longitude lookingfor loss lot low lower lowercase lowlibido loyaltyid lpc lupus lymphoma lz m \
mac macaddr macaddress machineid macmd5 macsha1 madid magnetic maid maidenname maids mail \
mailaddress mailing mailingaddress maincomplaint mainconcern major majordepressive male man \
management manic manicepisode manufacturer map marijuanause marital marketing match \
matchedtherapist matchid matchkeys material matrix mbi mbox mbox3 mbox3rdpartyid mboxparameters \
md md5 mdq measure med medicaid medicaidid medicaidno medicaidnumber medicaidplan medical \
medicalcondition medicalconditions medicalhistory medicalinsurance medicalintake medicalissue \
medicallicense medicalprocedure medicalquestionnaire medicalrecord medicalrecordid \
medicalrecordno medicalrecordnum medicalrecordnumber medicalspecialty medicare \
medicarebeneficiaryid medicareid medicareno medicarenumber medicareplan medication \
medicationcode medicationdisplay medicationdosage medicationdose medicationlist \
medicationmanagement medicationname medicationrequest medications medicationstrength medium \
medname medrecno medrecnum medrecordno meds meid melanoma member memberid memberno membernum \
membernumber members memberuuid menopause menstrual menstrualphase menstruation mental \
mentalhealth mentalhealthconcern mentalhealthhistory mentalillness merchandise merge mergefields \
message messageid messages meta metadata metaltier methamphetamine method metric mi mid middle \
middleinitial middlename migraine miscarriage mistake mktotrk mkttok mname moat mobile \
mobileadid mobileadvertisingid mobiledeviceid mobileid mobileno mobilenumber mobilephone \
mobilephonenumber modality model modified monthofbirth mood mooddisorder moodscore mother motor \
motorcycle movie mpid mpn mrn mrnid mrnno mrnnum mrnnumber msai msclkid msdrg msdrgcode msgpack \
msisdn muid multipart multiple multiplesclerosis municipality music my n na name namefirst \
namefull namelast names namespace nan narcolepsy nationalid nationalidnumber nationalprovider \
nationalprovideridentifier nb ndc ndc10 ndc11 ndc9 ndccode ndclid ndcs need needs nephrologist \
nested network networkuserid neurologist neurology neuropathy new newline news newsletter \
nextofkin nextvisit nextvisitdate nhsno nhsnumber nick nickname nicotineuse nil no node \
nombrecompleto nonbinary none normalized note notes notifications notset np npi npiid npinumber \
nuid null num number numberofpregnancies numberplate nurse nursepractitioner nursing o oaid \
oauth1 ob obclickid obclid obesity obj object objects observation observationcode \
observationvalue obsessive obsessivecompulsive obstetrician ocd of offering office officevisit \
old on once oncologist oncology one online onlinetherapy onsetdate open openrtb openudid \
operation operationdate operationperformed opiate opioid opioiduse oppref opt option options or \
oracle oraclemoatid order ordercode orderid orders org organization origination originationip os \
osteoporosis other our outbrainclickid outcome outofpocketmax outofpocketmaximum outpatient over \
overdose override ovulation ovulationdate ovulationday p package page pagecategory pagelocation \
pagename pagepath pagereferrer pagesection pagetitle pageuri pageurl pageview pain painlevel \
painscale palmprint pan panelcode panic panicattack panicdisorder panoramaid parameters params \
paranoia parent part partner partneranonymousid partnerid partnerparams party passivesi passport \
passportno passportnumber pastmedicalhistory pastsurgeries pasttreatments path pathname patient \
patientaccountnumber patientage patientcode patientexternalid patientguid patientid \
patientidentifier patientimage patientinfo patientintake patientkey patientno patientnum \
patientnumber patientphoto patientphotourl patientpicture patientref patientreference patients \
patientuuid payee payer payerid payermemberid payername payload payor payorname pcl pcl5 pcn \
pcos pcp pcpname pcs pediatrician people per perfume period perioddate periodend periodflow \
periodlength periodlog periodstart periodstartdate periodsymptoms periodtracker person personal \
personality personalitydisorder personalizationid persondata personid personname \
personproperties pet ph pharmacy pharmacybenefit pharmacyname pharmacyncpdp pharmacyplan \
pharmacyplanname phd phint phobia phone phonehash phonenbr phoneno phonenum phonenumber \
phonenumbers phones phonesha256 photo photograph photos photourl phq phq15 phq2 phq4 phq8 phq9 \
phqa physician physicianname physicianspecialty picture pictureurl pid pii pill pills pincode \
pinunauth pixel pixels place placecontext plain plaintext plan planid planmemberid planname \
plannedsurgery plantype plate plateno platenumber platform plugin plz pmhnp pn points policy \
policyholder policyholderid policyid policyno policynum policynumber port position post postal \
postaladdress postalcd postalcode postcd postcode postmaster postnatal postpartum posttraumatic \
ppo pr practice practitioner preauthorization preexisting preexistingcondition \
preexistingconditions preferred preferredname preferredpharmacy preferredprovider \
preferredtherapist pregnancy pregnancyduedate pregnancystatus pregnancyweek pregnant premature \
prematureejaculation prenatal prescribed prescribeddrug prescribedmedication prescriber \
prescribername prescribernpi prescribingprovider prescription prescriptionid prescriptionname \
prescriptionno prescriptionnumber prescriptions prescriptionstatus presenting presentingconcern \
presentingproblem press pressure previous previousid previouslyintherapy previoussurgeries \
previoustherapy previoustreatment previoustreatments previousurl price primary \
primarycarephysician primarycareprovider primarydiagnosis primarydx primaryinsurance priorauth \
priorauthnumber priorauthorization priorauthstatus priorsurgeries priortherapy privacy problem \
problemcode problemcodes problems proccode proccodes procedure procedurecode procedurecodes \
proceduredate proceduredt procedureid procedurename procedures proceduretype product \
productaction productid productname products productsku producttype professionallicense profile \
profiledata profileid profileimage profileimageurl profilephoto profilephotourl profilepic \
profilepicture profilepictureurl profilepicurl profiles program programname prop1 properties \
property props protection protobuf provider providername providernpi providerspecialty \
providertype province psoriasis psqi psychiatric psychiatrichistory psychiatrist psychiatry \
psychologist psychosis psychotherapy psychotic psyd ptid ptno ptnum ptsd pubcid publisher \
purchase purchases pushtoken px python q qclid qualifier quantity query question questioncode \
questionid questionnaire questionnairename questionnairetype questions questiontext quit \
quitdrinking quiz quizname quiztype r race radiation radiationtherapy ramp rampid rate raw \
rawscore rd rdtcid rdtuuid realtor reason reasoncode reasonforappointment reasonforcare \
reasonforseekingcare reasonforvisit reasons received recipient recipients record records \
recruiter redacted ref reference referencerange referer referral referred referrer referrerurl \
referringphysician referringprovider refill refills refillsremaining reflux refr region \
registrationplate relaxing release remoteaddr remoteaddress remoteip renderingprovider \
renderingprovidername renderingprovidernpi rental renter renters replacement replay request \
requestedprocedure requests residence residency residentialaddress response responses \
responsibleparty rest result resultcode results resultvalue retinalscan retinascan revcode \
revenuecode revenuecodes revision rheumatologist rida risk risklevel riskscore rl rokuid room \
root rosacea route routing routingno routingnum routingnumber rows rpc rtb rtn rx rxbin rxcui \
rxcuis rxdrug rxgroup rxgrp rxid rxname rxno rxnorm rxnumber rxpcn rxstatus s s2 s2s salary \
sales salon same savingsaccount sc scale scan scantype sccid scclickid sccookie1 scheduled \
scheduledprocedure schema scheme schizoaffective schizophrenia school scid sclerosis scoff score \
scores scoring screen screendimensions screener screenername screening screeningtool \
screeningtype screenname scrubs sct sctid sdk sdx se seac search searchquery searchstring \
searchterm seat seca secondary secondaryinsurance secondarypayer secondname secret section \
security seekinghelpfor seen segment seizure sela selectedanswer selectedplan selectedservice \
self selfassessment selfharm selfharmrisk selfharmthoughts selfie selfieimage selfieurl sends \
sent sentrydsn separated sepr serial serialno serialnum serialnumber serum service servicecode \
servicecodes servicedate servicedt serviceline servicename services servicetype session sessions \
sessiontype set setonce settings several severaldays severity severitylevel sex \
sexassignedatbirth sexatbirth sexcode sexual sexualdysfunction sexually sexuallyactive \
sexuallytransmitted sha sha1 sha256 sha256email sha256emailaddress sha256firstname \
sha256lastname sha256phonenumber sha256street sha512 sharedid shipment shipping shippingaddress \
shoe showroom sickle sicklecell siflag sig signatura site sitesection size sku skuid skus sleep \
sleepapnea slug smoking smokingstatus sms smsnumber snomed snomedct soap sober soberliving \
sobersince sobriety sobrietydate socialinsurancenumber socialsecurity socialsecurityid \
socialsecuritylast4 socialsecurityno socialsecuritynum socialsecuritynumber socsec socsecnum \
software song soundex source sourceurl specialist speciality specialties specialty specialtytype \
specimen specimentype spouse srsltid ssn ssn4 ssnlast4 ssnlastfour ssnlastfourdigits ssnno \
ssnnum ssnnumber ssno ssnum ssnumber ssrs st staffing standard start started state stateidnumber \
statelicensenumber status step steps store street street1 streetaddr streetaddress \
streetaddress1 streetline streetline1 streetname strength stress string struggle struggles \
strugglingwith student studentid subject subjectid submitted subscore subscriber subscriberid \
subscriberkey subscriberno subscribernum subscribernumber subscribers subscription \
subscriptionid subscriptionplan subscriptions subscriptiontype substance substanceabuse \
substanceuse suburb suicidal suicidalideation suicidality suicidalthoughts suicide \
suicideattempt suicideattempts suiciderisk sum support surgeon surgeries surgery surgerycode \
surgerydate surgerydt surgeryname surgerytype surgicalcode surgicalhistory surgicalprocedure \
surname survey surveyname svcdate svcdt symptom symptomassessment symptomchecker symptomquiz \
symptoms symptomseverity syphilis system systemname tablet tablets taboolaclickid tag tags \
takingmedication talk talktherapy tapadid taxid taxidnumber taxpayerid tblci td1 td10 tdid tduid \
tea tealium tealiumevent tealiumreferrer tealiumvisitorid team tel telecom telefono telehealth \
telemedicine telephone telephoneno telephonenumber telepsychiatry teletherapy telno template \
tenant term terminology test testcode testing testname testresult testresults tests testtype \
text textbook the theme therapies therapist therapistgender therapistname therapistpreference \
therapy therapyformat therapyhistory therapymodality therapyplan therapyreason therapysession \
therapytype third thirdpartyid thoughtsofselfharm thoughtsofsuicide thumbprint thumbprintscan ti \
ticket tid tier tifa time timestamp timezone tin title tl tnuid to tobacco tobaccouse toggle \
token tokenauth tool topic topics total totalscore town tr tracker tracking trackingtype traits \
transcranial transcranialmagnetic transfemale transgender transmale transmitted travel \
treatingphysician treatment treatmentfor treatmentid treatmentmodality treatmentname \
treatmentplan treatmentprogram treatments treatmenttype trichomoniasis trimester trip trouble \
troublerelaxing true trueclientip tryingtoconceive ttc ttclid ttdid ttp tuberculosis tumor tv \
twclid type typeoftherapy types tyre tz u1 u100 ua ud udi udicarrier udicode udid udidi ue uepr \
uepx uetmsclkid uetsid uetvid uh uid uid2 uid2token uip ulcerative ulcerativecolitis umbrella \
undefined uniquedeviceidentifier unknown unverified up upc updated upload upn uri urine url \
urlencoded urlref urn urologist urology use user userage useragent userattributes userdata \
useremail userguid userid useridarray useridentifier useridentifiers useridentities userids \
userimage userinfo useripaddress userkey userlist userlocation username usernumber userphone \
userphoto userpicture userprofile userproperties userpseudoid users useruuid utm utmcampaign \
utmcontent utmterm uu uuid uuid2 uuidc1 v v1 v2 v3 v4 vaccinationdate vaccine val value \
valuecode values var1 variables variant variantid variants vars vehicle \
vehicleidentificationnumber vehicleplate vehicleregistration vehiclevin vendor vendorid ver \
version vid video videotitle videovisit view viewed views village vin vincode vinno vinnumber \
virtual virtualvisit visit visitdate visitdt visitmode visitor visitorfingerprint visitorid \
visitoruuid visitreason visittype vitro vmcid vnd vocabulary vocabularyid voicebiometric \
voiceembedding voiceid voiceprint voicesample voicetemplate voucher warranty wart was wbraid web \
webinar webmaster webpagedetails weekspregnant weight whatbringsyouhere whatsapp whatsappnumber \
who who5 widget wifimac with woman work write writekey ws www x xclientip xdm xff xforwardedfor \
xmailer xml xrealip y ybocs yclid yearofbirth yeast yeastinfection ymclid ymuid yob your zclid \
zip zip4 zip5 zip9 zipcd zipcode zipplus4 zone zp zstd";

static VOCABULARY: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| WORDS.split_ascii_whitespace().collect());

/// Whether `key` is a word of the vocabulary, or consists entirely of such
/// words, joined by punctuation, by capitals or by short numbers.
pub(crate) fn is_known(key: &str) -> bool {
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

/// Lower-case words, split at punctuation, at `fooBar`, `HTTPServer` and `q1a`.
/// Unlike the words for lexicons, none is left out.
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
