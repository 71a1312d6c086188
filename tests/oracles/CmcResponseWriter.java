import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERTaggedObject;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.cmc.BodyPartID;
import org.bouncycastle.asn1.cmc.CMCFailInfo;
import org.bouncycastle.asn1.cmc.CMCObjectIdentifiers;
import org.bouncycastle.asn1.cmc.CMCStatus;
import org.bouncycastle.asn1.cmc.CMCStatusInfoBuilder;
import org.bouncycastle.asn1.cmc.CMCStatusInfoV2Builder;
import org.bouncycastle.asn1.cmc.ExtendedFailInfo;
import org.bouncycastle.asn1.cmc.PendInfo;
import org.bouncycastle.asn1.cmc.TaggedAttribute;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cms.CMSAbsentContent;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.util.CollectionStore;

/**
 * Writes the answers that a CMC server may give, one file for a case, each signed by the CA.
 *
 * <p>Usage: CmcResponseWriter FOLDER CA.der CA-KEY.pk8 LEAF.der
 */
public final class CmcResponseWriter {
  private static final BodyPartID REQUEST = new BodyPartID(1);
  private static final ASN1GeneralizedTime LATER = new ASN1GeneralizedTime("20270102030405Z");
  private static final byte[] TOKEN = "42".getBytes(StandardCharsets.US_ASCII);

  private static final CMCFailInfo[] FAILURES = {
    CMCFailInfo.badAlg, CMCFailInfo.badMessageCheck, CMCFailInfo.badRequest, CMCFailInfo.badTime,
    CMCFailInfo.badCertId, CMCFailInfo.unsupportedExt, CMCFailInfo.mustArchiveKeys, CMCFailInfo.badIdentity,
    CMCFailInfo.popRequired, CMCFailInfo.popFailed, CMCFailInfo.noKeyReuse, CMCFailInfo.internalCAError,
    CMCFailInfo.tryLater, CMCFailInfo.authDataFail,
  };

  private record Answer(List<TaggedAttribute> controls, List<X509Certificate> certificates) {}

  private final X509Certificate authority;
  private final X509Certificate leaf;
  private final PrivateKey key;
  private final Map<String, Answer> answers = new LinkedHashMap<>();

  private CmcResponseWriter(X509Certificate authority, PrivateKey key, X509Certificate leaf) {
    this.authority = authority;
    this.key = key;
    this.leaf = leaf;
  }

  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    X509Certificate authority = certificate(arguments[1]);
    KeyFactory keys = KeyFactory.getInstance(authority.getPublicKey().getAlgorithm());
    PrivateKey key = keys.generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(arguments[2]))));
    new CmcResponseWriter(authority, key, certificate(arguments[3])).write(Path.of(arguments[0]));
  }

  private static X509Certificate certificate(String file) throws Exception {
    byte[] data = Files.readAllBytes(Path.of(file));
    return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(data));
  }

  private void write(Path folder) throws Exception {
    granted();
    waiting();
    refused();
    Files.createDirectories(folder);
    for (Map.Entry<String, Answer> one : answers.entrySet()) {
      Files.write(folder.resolve(one.getKey() + ".der"), sign(one.getValue()));
    }
    byte[] forged = sign(answers.get("granted"));
    forged[forged.length - 1] ^= 1;
    Files.write(folder.resolve("granted-forged.der"), forged);
    CMSSignedDataGenerator bag = new CMSSignedDataGenerator();
    bag.addCertificates(store(List.of(authority, leaf)));
    byte[] plain = bag.generate(new CMSAbsentContent(), false).toASN1Structure().getEncoded("DER");
    Files.write(folder.resolve("certificates-only.der"), plain);
  }

  private void granted() throws GeneralSecurityException {
    TaggedAttribute issued = status(1, new CMCStatusInfoBuilder(CMCStatus.success, REQUEST).setStatusString("Issued").build());
    List<X509Certificate> both = List.of(leaf, authority);
    answer("granted", both, issued, added(2, hash("1.3.6.1.4.1.311.21.17", leaf)));
    answer("granted-authority-first", List.of(authority, leaf), issued, added(2, hash("1.3.6.1.4.1.311.21.17", leaf)));
    answer("granted-no-hash", both, issued);
    answer("granted-wrong-hash", both, issued, added(2, hash("1.3.6.1.4.1.311.21.17", authority)));
    answer("granted-no-leaf", List.of(authority), issued, added(2, hash("1.3.6.1.4.1.311.21.17", leaf)));
    answer("granted-archived", both, issued,
        added(2, hash("1.3.6.1.4.1.311.21.17", leaf), hash("1.3.6.1.4.1.311.21.21", authority)));
    answer("granted-information", both, issued, added(2, hash("1.3.6.1.4.1.311.21.17", leaf)),
        control(3, "1.3.6.1.5.5.7.7.19", new DEROctetString("RequestId=42&".getBytes(StandardCharsets.US_ASCII))));
    answer("granted-silently", both);
    answer("v2-granted", both, status2(1, new CMCStatusInfoV2Builder(CMCStatus.success, REQUEST).build()),
        control(2, "1.3.6.1.5.5.7.7.5", new ASN1Integer(new BigInteger("9182736455463728190"))),
        control(3, "1.3.6.1.5.5.7.7.6", new DEROctetString(new byte[] {5, 6, 7, 8})),
        control(4, "1.3.6.1.5.5.7.7.7", new DEROctetString(new byte[] {1, 2, 3, 4})));
    ASN1Encodable path = new DERSequence(new ASN1Encodable[] {new ASN1Integer(2), new ASN1Integer(1)});
    answer("v2-granted-path", both, status2(1, sequence(new ASN1Integer(0), new DERSequence(path))));
  }

  private void waiting() {
    PendInfo later = new PendInfo(TOKEN, LATER);
    answer("pending", List.of(authority), status(1,
        new CMCStatusInfoBuilder(CMCStatus.pending, REQUEST).setStatusString("Under Submission").setOtherInfo(later).build()));
    answer("v2-pending", List.of(authority), status2(1,
        new CMCStatusInfoV2Builder(CMCStatus.pending, REQUEST).setOtherInfo(later).build()));
  }

  private void refused() {
    List<X509Certificate> alone = List.of(authority);
    for (int number = 0; number < FAILURES.length; number++) {
      answer("failed-" + number, alone, status(1, new CMCStatusInfoBuilder(CMCStatus.failed, REQUEST)
          .setStatusString("refused for reason " + number).setOtherInfo(FAILURES[number]).build()));
    }
    Map<String, CMCStatus> others = new LinkedHashMap<>();
    others.put("no-support", CMCStatus.noSupport);
    others.put("confirm-required", CMCStatus.confirmRequired);
    others.put("pop-required", CMCStatus.popRequired);
    others.put("partial", CMCStatus.partial);
    others.forEach((name, value) ->
        answer("status-" + name, List.of(leaf, authority), status(1, new CMCStatusInfoBuilder(value, REQUEST).build())));
    answer("v2-failed", alone, status2(1,
        new CMCStatusInfoV2Builder(CMCStatus.failed, REQUEST).setOtherInfo(CMCFailInfo.badRequest).build()));
    ASN1ObjectIdentifier reason = new ASN1ObjectIdentifier("1.3.6.1.4.1.99999.7");
    DERUTF8String words = new DERUTF8String("no");
    answer("v2-failed-extended", alone, status2(1, new CMCStatusInfoV2Builder(CMCStatus.failed, REQUEST)
        .setOtherInfo(new ExtendedFailInfo(reason, words)).build()));
    answer("v2-failed-extended-tagged", alone, status2(1, sequence(new ASN1Integer(2), new DERSequence(new ASN1Integer(1)),
        new DERTaggedObject(false, 1, sequence(reason, words)))));
    answer("failed-beside-granted", List.of(leaf, authority),
        status(1, new CMCStatusInfoBuilder(CMCStatus.success, REQUEST).build()),
        status(2, new CMCStatusInfoBuilder(CMCStatus.failed, new BodyPartID(2)).setOtherInfo(CMCFailInfo.badAlg).build()));
  }

  private void answer(String name, List<X509Certificate> certificates, TaggedAttribute... controls) {
    answers.put(name, new Answer(List.of(controls), certificates));
  }

  private static DERSequence sequence(ASN1Encodable... parts) {
    return new DERSequence(parts);
  }

  private static TaggedAttribute control(long part, String oid, ASN1Encodable value) {
    return new TaggedAttribute(new BodyPartID(part), new ASN1ObjectIdentifier(oid), new DERSet(value));
  }

  private static TaggedAttribute status(long part, ASN1Encodable value) {
    return control(part, "1.3.6.1.5.5.7.7.1", value);
  }

  private static TaggedAttribute status2(long part, ASN1Encodable value) {
    return control(part, "1.3.6.1.5.5.7.7.25", value);
  }

  private static TaggedAttribute added(long part, Attribute... attributes) {
    return control(part, "1.3.6.1.4.1.311.10.10.1",
        sequence(new ASN1Integer(0), new DERSequence(new ASN1Integer(1)), new DERSet(attributes)));
  }

  private static Attribute hash(String oid, X509Certificate one) throws GeneralSecurityException {
    byte[] digest = MessageDigest.getInstance("SHA-1").digest(one.getEncoded());
    return new Attribute(new ASN1ObjectIdentifier(oid), new DERSet(new DEROctetString(digest)));
  }

  private byte[] sign(Answer answer) throws Exception {
    ASN1EncodableVector controls = new ASN1EncodableVector();
    answer.controls().forEach(controls::add);
    byte[] content = sequence(new DERSequence(controls), new DERSequence(), new DERSequence()).getEncoded("DER");
    String algorithm = key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
    CMSSignedDataGenerator message = new CMSSignedDataGenerator();
    message.addSignerInfoGenerator(
        new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build())
            .build(new JcaContentSignerBuilder(algorithm).setProvider("BC").build(key), authority));
    message.addCertificates(store(answer.certificates()));
    CMSProcessableByteArray body = new CMSProcessableByteArray(CMCObjectIdentifiers.id_cct_PKIResponse, content);
    return message.generate(body, true).toASN1Structure().getEncoded("DER");
  }

  private static CollectionStore<X509CertificateHolder> store(List<X509Certificate> certificates) throws Exception {
    List<X509CertificateHolder> held = new ArrayList<>();
    for (X509Certificate one : certificates) {
      held.add(new JcaX509CertificateHolder(one));
    }
    return new CollectionStore<>(held);
  }
}
