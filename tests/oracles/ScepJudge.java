import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Collection;
import java.util.Hashtable;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1String;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSAESOAEPparams;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.CMSEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.DefaultSignedAttributeTableGenerator;
import org.bouncycastle.cms.KeyTransRecipientInformation;
import org.bouncycastle.cms.PasswordRecipient;
import org.bouncycastle.cms.RecipientInfoGenerator;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JcePasswordEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JcePasswordRecipientInfoGenerator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.util.encoders.Hex;

/**
 * Reads and writes SCEP messages by Bouncy Castle.
 *
 * <p>Usage: ScepJudge read KEY PASSWORD FILE... says of each message "attribute OID VALUE" for its SCEP attributes (texts as
 * they are, octets in hexadecimal digits), "signature good" or "signature forged", and "content HEX" where it opens.
 *
 * <p>ScepJudge write KEY PASSWORD CERTIFICATE FOLDER writes messages in BER around the text "hello": plain, oaep,
 * identifier, password.
 */
public final class ScepJudge {
  private static final String SCEP = "2.16.840.1.113733.1.9.";

  private final PrivateKey key;
  private final char[] password;

  private ScepJudge(String keyFile, String password) throws Exception {
    byte[] encoded = Files.readAllBytes(Path.of(keyFile));
    this.key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(encoded));
    this.password = password.toCharArray();
  }

  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    ScepJudge judge = new ScepJudge(arguments[1], arguments[2]);
    if (arguments[0].equals("write")) {
      judge.writeAll(Files.readAllBytes(Path.of(arguments[3])), Path.of(arguments[4]));
      return;
    }
    for (String file : List.of(arguments).subList(3, arguments.length)) {
      System.out.println("file " + Path.of(file).getFileName());
      judge.read(Files.readAllBytes(Path.of(file)));
    }
  }

  private void read(byte[] bytes) throws Exception {
    CMSSignedData message = new CMSSignedData(bytes);
    for (SignerInformation signer : message.getSignerInfos()) {
      for (Attribute one : signer.getSignedAttributes().toASN1Structure().getAttributes()) {
        String type = one.getAttrType().getId();
        if (type.startsWith(SCEP) || type.startsWith("1.3.6.1.5.5.7.24.")) {
          System.out.println("attribute " + type + " " + plain(one.getAttrValues().getObjectAt(0)));
        }
      }
      Collection<X509CertificateHolder> found = message.getCertificates().getMatches(signer.getSID());
      X509CertificateHolder holder = found.iterator().next();
      boolean good = signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(holder));
      System.out.println("signature " + (good ? "good" : "forged"));
    }
    if (message.getSignedContent() == null) {
      return;
    }
    byte[] content = (byte[]) message.getSignedContent().getContent();
    if (content.length > 0) {
      System.out.println("content " + Hex.toHexString(open(new CMSEnvelopedData(content))));
    }
  }

  private byte[] open(CMSEnvelopedData sealed) throws Exception {
    RecipientInformation one = sealed.getRecipientInfos().iterator().next();
    if (one instanceof KeyTransRecipientInformation) {
      return one.getContent(new JceKeyTransEnvelopedRecipient(key).setProvider("BC"));
    }
    return one.getContent(new JcePasswordEnvelopedRecipient(password).setProvider("BC")
        .setPasswordConversionScheme(PasswordRecipient.PKCS5_SCHEME2_UTF8));
  }

  private static String plain(ASN1Encodable value) {
    return value instanceof ASN1OctetString octets ? Hex.toHexString(octets.getOctets()) : ((ASN1String) value).getString();
  }

  private void writeAll(byte[] encoded, Path folder) throws Exception {
    X509Certificate own = new JcaX509CertificateConverter().getCertificate(new X509CertificateHolder(encoded));
    AlgorithmIdentifier sha256 = new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256);
    AlgorithmIdentifier mask = new AlgorithmIdentifier(PKCSObjectIdentifiers.id_mgf1, sha256);
    RSAESOAEPparams parameters = new RSAESOAEPparams(sha256, mask, RSAESOAEPparams.DEFAULT_P_SOURCE_ALGORITHM);
    AlgorithmIdentifier oaep = new AlgorithmIdentifier(PKCSObjectIdentifiers.id_RSAES_OAEP, parameters);
    write(own, folder.resolve("plain"), new JceKeyTransRecipientInfoGenerator(own).setProvider("BC"));
    write(own, folder.resolve("oaep"), new JceKeyTransRecipientInfoGenerator(own, oaep).setProvider("BC"));
    byte[] name = {1, 2, 3, 4};
    write(own, folder.resolve("identifier"),
        new JceKeyTransRecipientInfoGenerator(name, own.getPublicKey()).setProvider("BC"));
    write(own, folder.resolve("password"), new JcePasswordRecipientInfoGenerator(CMSAlgorithm.AES256_CBC, password)
        .setProvider("BC").setPasswordConversionScheme(PasswordRecipient.PKCS5_SCHEME2_UTF8));
  }

  private void write(X509Certificate own, Path file, RecipientInfoGenerator recipient) throws Exception {
    CMSEnvelopedDataGenerator sealing = new CMSEnvelopedDataGenerator();
    sealing.addRecipientInfoGenerator(recipient);
    CMSEnvelopedData sealed = sealing.generate(new CMSProcessableByteArray("hello".getBytes()),
        new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES256_CBC).setProvider("BC").build());
    Hashtable<ASN1ObjectIdentifier, Attribute> table = new Hashtable<>();
    put(table, "2", new DERPrintableString("19"));
    put(table, "5", new DEROctetString(Hex.decode("00112233445566778899aabbccddeeff")));
    put(table, "7", new DERPrintableString("made by Bouncy Castle"));
    CMSSignedDataGenerator signing = new CMSSignedDataGenerator();
    signing.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().build())
        .setSignedAttributeGenerator(new DefaultSignedAttributeTableGenerator(new AttributeTable(table)))
        .build(new JcaContentSignerBuilder("SHA256withRSA").build(key), own));
    signing.addCertificates(new JcaCertStore(List.of(own)));
    byte[] content = sealed.toASN1Structure().getEncoded("BER");
    Files.write(file, signing.generate(new CMSProcessableByteArray(content), true).toASN1Structure().getEncoded("BER"));
  }

  private static void put(Hashtable<ASN1ObjectIdentifier, Attribute> table, String number, ASN1Encodable value) {
    ASN1ObjectIdentifier oid = new ASN1ObjectIdentifier(SCEP + number);
    table.put(oid, new Attribute(oid, new DERSet(value)));
  }
}
