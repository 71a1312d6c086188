import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * Has CmcDump, another project's reader of CMC messages, read many of them in one start of Java.
 *
 * <p>Usage: CmcDumps FILE... What CmcDump says of each file ends with a line "== good", "== forged" or "== malformed".
 */
public final class CmcDumps {
  public static void main(String[] files) {
    Security.addProvider(new BouncyCastleProvider());
    for (String file : files) {
      CmcDump.bad = false;
      System.out.println("== " + judge(file));
    }
  }

  private static String judge(String file) {
    try {
      CmcDump.dumpSigned(0, Files.readAllBytes(Path.of(file)), null);
    } catch (Exception error) {
      System.out.println(error);
      return "malformed";
    }
    return CmcDump.bad ? "forged" : "good";
  }
}
