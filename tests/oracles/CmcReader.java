import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.security.Security;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.ASN1Set;
import org.bouncycastle.asn1.cmc.BodyPartID;
import org.bouncycastle.asn1.cmc.CMCObjectIdentifiers;
import org.bouncycastle.asn1.cmc.CMCStatusInfo;
import org.bouncycastle.asn1.cmc.PKIData;
import org.bouncycastle.asn1.cmc.PKIResponse;
import org.bouncycastle.asn1.cmc.TaggedAttribute;
import org.bouncycastle.asn1.cmc.TaggedCertificationRequest;
import org.bouncycastle.asn1.cmc.TaggedContentInfo;
import org.bouncycastle.asn1.cmc.TaggedRequest;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.EnvelopedData;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerId;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.util.encoders.Hex;

/**
 * Reads CMC and PKCS #7 messages by Bouncy Castle and says in lines what they hold and whether every signature fits.
 *
 * <p>Usage: CmcReader FILE... Each line is "DEPTH KIND key=value ...", separated by tabs; the last of a file is
 * "0 result value=good", "value=forged" or "value=malformed".
 */
public final class CmcReader {
  private static final String ADD_ATTRIBUTES = "1.3.6.1.4.1.311.10.10.1";
  private static final String ARCHIVED_KEY = "1.3.6.1.4.1.311.21.13";
  private static final String NO_SIGNATURE = "1.3.6.1.5.5.7.6.2";
  private static final String REG_INFO = "1.3.6.1.5.5.7.7.18";
  private static final String SIGNED_DATA = "1.2.840.113549.1.7.2";
  private static final String STATUS_INFO = "1.3.6.1.5.5.7.7.1";

  private final List<PublicKey> requestKeys = new ArrayList<>();
  private boolean forged;

  public static void main(String[] files) throws IOException {
    Security.addProvider(new BouncyCastleProvider());
    for (String file : files) {
      say(0, "file", "name=" + Path.of(file).getFileName());
      say(0, "result", "value=" + new CmcReader().judge(Files.readAllBytes(Path.of(file))));
    }
  }

  private String judge(byte[] message) {
    try {
      readMessage(0, message);
    } catch (Exception error) {
      say(0, "error", "text=" + error.toString().replaceAll("\\s+", " "));
      return "malformed";
    }
    return forged ? "forged" : "good";
  }

  private void readMessage(int depth, byte[] bytes) throws Exception {
    CMSSignedData message = new CMSSignedData(bytes);
    String type = message.getSignedContentTypeOID();
    Collection<X509CertificateHolder> certificates = message.getCertificates().getMatches(null);
    say(depth, "message", "type=" + type, "version=" + message.getVersion(), "certificates=" + certificates.size());
    byte[] content = message.getSignedContent() == null ? null : (byte[]) message.getSignedContent().getContent();
    if (type.equals(CMCObjectIdentifiers.id_cct_PKIData.getId())) {
      readRequests(depth, PKIData.getInstance(content));
    } else if (type.equals(CMCObjectIdentifiers.id_cct_PKIResponse.getId())) {
      readControls(depth, controlsOf(PKIResponse.getInstance(content)));
    } else if (content != null) {
      readRequest(depth, 0, new PKCS10CertificationRequest(content));
    }
    int index = 0;
    for (SignerInformation signer : message.getSignerInfos()) {
      readSigner(depth, index++, message, signer, content);
    }
  }

  private void readRequests(int depth, PKIData data) throws Exception {
    readControls(depth, data.getControlSequence());
    for (TaggedRequest one : data.getReqSequence()) {
      if (one.getTagNo() != TaggedRequest.TCR) {
        say(depth, "foreign", "tag=" + one.getTagNo());
        continue;
      }
      ASN1Sequence tagged = ASN1Sequence.getInstance(TaggedCertificationRequest.getInstance(one.getValue()).toASN1Primitive());
      byte[] inner = tagged.getObjectAt(1).toASN1Primitive().getEncoded();
      readRequest(depth, BodyPartID.getInstance(tagged.getObjectAt(0)).getID(), new PKCS10CertificationRequest(inner));
    }
    for (TaggedContentInfo one : data.getCmsSequence()) {
      ASN1Sequence tagged = ASN1Sequence.getInstance(one.toASN1Primitive());
      String type = ContentInfo.getInstance(tagged.getObjectAt(1)).getContentType().getId();
      say(depth, "nested", "part=" + BodyPartID.getInstance(tagged.getObjectAt(0)).getID(), "type=" + type);
      if (type.equals(SIGNED_DATA)) {
        readMessage(depth + 1, tagged.getObjectAt(1).toASN1Primitive().getEncoded());
      }
    }
    say(depth, "others", "count=" + data.getOtherMsgSequence().length);
  }

  private void readRequest(int depth, long part, PKCS10CertificationRequest request)
      throws IOException, GeneralSecurityException, OperatorCreationException, PKCSException {
    PublicKey key = new JcaPEMKeyConverter().setProvider("BC").getPublicKey(request.getSubjectPublicKeyInfo());
    boolean good = proves(request, key);
    forged |= !good;
    requestKeys.add(key);
    say(depth, "request", "part=" + part, "good=" + good, "subject=" + request.getSubject());
    for (org.bouncycastle.asn1.pkcs.Attribute one : request.getAttributes()) {
      say(depth, "asked", "oid=" + one.getAttrType(), "values=" + one.getAttrValues().size());
    }
  }

  /** Whether the key signed the request; or, where a hash stands in the place of the signature, whether that fits. */
  private static boolean proves(PKCS10CertificationRequest request, PublicKey key)
      throws IOException, GeneralSecurityException, OperatorCreationException, PKCSException {
    MessageDigest hash;
    try {
      hash = MessageDigest.getInstance(request.getSignatureAlgorithm().getAlgorithm().getId(), "BC");
    } catch (NoSuchAlgorithmException noHash) {
      return request.isSignatureValid(new JcaContentVerifierProviderBuilder().setProvider("BC").build(key));
    }
    byte[] content = request.toASN1Structure().getCertificationRequestInfo().getEncoded("DER");
    return Arrays.equals(hash.digest(content), request.getSignature());
  }

  private static TaggedAttribute[] controlsOf(PKIResponse response) {
    ASN1Sequence found = response.getControlSequence();
    return Arrays.stream(found.toArray()).map(TaggedAttribute::getInstance).toArray(TaggedAttribute[]::new);
  }

  private static void readControls(int depth, TaggedAttribute[] controls) throws IOException {
    for (TaggedAttribute one : controls) {
      String oid = one.getAttrType().getId();
      say(depth, "control", "part=" + one.getBodyPartID().getID(), "oid=" + oid);
      for (ASN1Encodable value : one.getAttrValues()) {
        readControl(depth, oid, value);
      }
    }
  }

  private static void readControl(int depth, String oid, ASN1Encodable value) throws IOException {
    switch (oid) {
      case ADD_ATTRIBUTES -> {
        ASN1Sequence parts = ASN1Sequence.getInstance(value);
        say(depth, "references", "data=" + parts.getObjectAt(0), "requests=" + parts.getObjectAt(1));
        for (ASN1Encodable one : ASN1Set.getInstance(parts.getObjectAt(2))) {
          Attribute attribute = Attribute.getInstance(one);
          say(depth, "added", "oid=" + attribute.getAttrType(), "value=" + hex(attribute.getAttrValues().getObjectAt(0)));
        }
      }
      case STATUS_INFO -> {
        CMCStatusInfo status = CMCStatusInfo.getInstance(value);
        String text = status.getStatusStringUTF8() == null ? "" : status.getStatusStringUTF8().getString();
        String other = status.hasOtherInfo() ? hex(status.getOtherInfo()) : "";
        BigInteger number = ASN1Integer.getInstance(status.getCMCStatus().toASN1Primitive()).getValue();
        say(depth, "status", "number=" + number, "other=" + other, "text=" + text);
      }
      case REG_INFO -> {
        byte[] text = ASN1OctetString.getInstance(value).getOctets();
        say(depth, "registration", "text=" + new String(text, StandardCharsets.UTF_8));
      }
      default -> say(depth, "value", "hex=" + hex(value));
    }
  }

  private void readSigner(int depth, int index, CMSSignedData message, SignerInformation signer, byte[] content)
      throws Exception {
    boolean good = fits(message, signer, content);
    forged |= !good;
    SignerId name = signer.getSID();
    String named = name.getIssuer() == null ? Hex.toHexString(name.getSubjectKeyIdentifier()) : "certificate";
    say(depth, "signer", "index=" + index, "version=" + signer.getVersion(), "name=" + named, "good=" + good,
        "digest=" + signer.getDigestAlgOID(), "algorithm=" + signer.getEncryptionAlgOID());
    sayAttributes(depth, "signed", signer.getSignedAttributes());
    sayAttributes(depth, "unsigned", signer.getUnsignedAttributes());
  }

  private boolean fits(CMSSignedData message, SignerInformation signer, byte[] content) throws Exception {
    if (signer.getEncryptionAlgOID().equals(NO_SIGNATURE)) {
      AttributeTable signed = signer.getSignedAttributes();
      byte[] covered = signed == null ? content : signer.toASN1Structure().getAuthenticatedAttributes().getEncoded("DER");
      return Arrays.equals(MessageDigest.getInstance(signer.getDigestAlgOID(), "BC").digest(covered), signer.getSignature());
    }
    List<PublicKey> keys = new ArrayList<>();
    Collection<X509CertificateHolder> certificates = message.getCertificates().getMatches(signer.getSID());
    for (X509CertificateHolder one : certificates) {
      keys.add(new JcaPEMKeyConverter().setProvider("BC").getPublicKey(one.getSubjectPublicKeyInfo()));
    }
    keys.addAll(certificates.isEmpty() ? requestKeys : List.of());
    for (PublicKey key : keys) {
      if (verifies(signer, key)) {
        return true;
      }
    }
    return false;
  }

  private static boolean verifies(SignerInformation signer, PublicKey key) throws OperatorCreationException {
    try {
      return signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(key));
    } catch (CMSException error) {
      return false;
    }
  }

  private static void sayAttributes(int depth, String kind, AttributeTable table) throws IOException {
    if (table == null) {
      return;
    }
    for (Attribute attribute : table.toASN1Structure().getAttributes()) {
      ASN1Encodable value = attribute.getAttrValues().getObjectAt(0);
      say(depth, kind, "oid=" + attribute.getAttrType(), "value=" + hex(value));
      if (attribute.getAttrType().getId().equals(ARCHIVED_KEY)) {
        EnvelopedData sealed = EnvelopedData.getInstance(ContentInfo.getInstance(value).getContent());
        String cipher = sealed.getEncryptedContentInfo().getContentEncryptionAlgorithm().getAlgorithm().getId();
        say(depth, "archived", "version=" + sealed.getVersion(), "cipher=" + cipher);
      }
    }
  }

  private static String hex(ASN1Encodable value) throws IOException {
    ASN1Primitive element = value.toASN1Primitive();
    return Hex.toHexString(element.getEncoded("DER"));
  }

  private static void say(int depth, String kind, String... fields) {
    System.out.println(depth + "\t" + kind + "\t" + String.join("\t", fields));
  }
}
