// Which providers there are, until enumProviders has no more, and what the first one can do. cscript providers.js [type]
var NO_MORE_ITEMS = -2147024637;    // 0x80070103
var ALG_CLASS_HASH = 0x8000;
var enroll = newest("CEnroll.CEnroll.3", "CEnroll.CEnroll.2", "CEnroll.CEnroll.1");

// The newest control that this computer has: what it lacks cannot be created, which is error 429.
function newest() {
    for (var i = 0; i < arguments.length; i++) {
        try {
            var made = new ActiveXObject(arguments[i]);
            WScript.Echo("control " + arguments[i]);
            return made;
        } catch (e) {
            if ((e.number & 0xFFFF) != 429) {
                throw e;
            }
        }
    }
}

// What a method gives for 0, 1, 2 and so on, until there are no more items.
function all(ask) {
    var found = [];
    try {
        for (var i = 0; ; i++) {
            found.push(ask(i));
        }
    } catch (e) {
        if (e.number != NO_MORE_ITEMS) {
            throw e;
        }
    }
    return found;
}

enroll.ProviderType = WScript.Arguments.length > 0 ? WScript.Arguments(0) : "1";
var names = all(function (i) { return enroll.enumProviders(i, 0); });
WScript.Echo(names.length + " providers: " + names.join("; "));

enroll.ProviderName = names[0];
enroll.KeySpec = 1;
WScript.Echo("RSA keys of " + enroll.GetKeyLen(true, true) + " to " + enroll.GetKeyLen(false, true) + " bits, by default " +
    enroll.GetKeyLenEx(4, 1));
WScript.Echo("key specs " + enroll.GetSupportedKeySpec());

var hashes = all(function (i) { return enroll.EnumAlgs(i, ALG_CLASS_HASH); });
for (var i = 0; i < hashes.length; i++) {
    WScript.Echo("hash 0x" + hashes[i].toString(16) + " " + enroll.GetAlgName(hashes[i]));
}

try {
    enroll.NoSuchMember();
} catch (e) {
    WScript.Echo((e.number & 0xFFFF) + " " + e.number + " " + e.description);
}
