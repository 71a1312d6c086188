import java.io.File;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import org.xml.sax.ErrorHandler;
import org.xml.sax.SAXException;
import org.xml.sax.SAXParseException;

/** Says of each XML file, a line each, whether Xerces finds it valid under the DTD that stands within it. */
public final class XmlJudge {
    public static void main(String[] files) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setValidating(true);
        for (String file : files) {
            System.out.println(verdict(factory.newDocumentBuilder(), new File(file)));
        }
    }

    private static String verdict(DocumentBuilder builder, File file) throws Exception {
        builder.setErrorHandler(new Strict());
        try {
            builder.parse(file);
            return "valid";
        } catch (SAXException error) {
            return "invalid\t" + error.getMessage().replace('\n', ' ');
        }
    }

    private static final class Strict implements ErrorHandler {
        @Override
        public void warning(SAXParseException problem) throws SAXParseException {
            throw problem;
        }

        @Override
        public void error(SAXParseException problem) throws SAXParseException {
            throw problem;
        }

        @Override
        public void fatalError(SAXParseException problem) throws SAXParseException {
            throw problem;
        }
    }
}
