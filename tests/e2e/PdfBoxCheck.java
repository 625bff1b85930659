import java.io.*;
import java.nio.file.*;
import java.security.*;
import java.util.*;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.*;
import sun.security.pkcs.PKCS7;
import sun.security.pkcs.SignerInfo;
import sun.security.timestamp.TimestampToken;

/**
 * What PDFBox makes of signed files. "check FILE PASSWORD …": one line a file, its signatures as true or false, read by
 * PDFBox and verified by Java's own CMS code. "sign IN OUT CERT KEY CHAIN": another program's signature on top, by openssl.
 */
public class PdfBoxCheck {
    static boolean isIntact(PDSignature signature, byte[] file) throws Exception {
        byte[] content = signature.getSignedContent(file), contents = signature.getContents(file);
        PKCS7 cms = new PKCS7(new ByteArrayInputStream(contents));
        if ("ETSI.RFC3161".equals(signature.getSubFilter())) {
            SignerInfo[] signers = cms.verify();
            TimestampToken token = new TimestampToken(cms.getContentInfo().getData());
            MessageDigest digest = MessageDigest.getInstance(token.getHashAlgorithm().getName());
            return signers != null && signers.length == 1 && Arrays.equals(digest.digest(content), token.getHashedMessage());
        }
        SignerInfo[] signers = cms.verify(content);
        return signers != null && signers.length == 1;
    }

    static String check(String path, String password) {
        StringBuilder answer = new StringBuilder(path).append('\t');
        try (PDDocument document = PDDocument.load(new File(path), password)) {
            byte[] file = Files.readAllBytes(Paths.get(path));
            for (PDSignature signature : document.getSignatureDictionaries())
                answer.append(isIntact(signature, file)).append(' ');
        } catch (Exception wrong) {
            answer.append("false ").append(wrong.toString().replace('\n', ' '));
        }
        return answer.toString();
    }

    static byte[] opensslSign(InputStream content, String cert, String key, String chain) throws IOException {
        File data = File.createTempFile("content", ".bin"), cms = File.createTempFile("content", ".p7s");
        Files.copy(content, data.toPath(), StandardCopyOption.REPLACE_EXISTING);
        Process openssl = new ProcessBuilder("openssl", "cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-signer", cert,
                                             "-inkey", key, "-certfile", chain, "-in", data.getPath(), "-out", cms.getPath()).inheritIO().start();
        try {
            if (openssl.waitFor() != 0)
                throw new IOException("openssl cms");
            return Files.readAllBytes(cms.toPath());
        } catch (InterruptedException stopped) {
            throw new IOException(stopped);
        } finally {
            data.delete();
            cms.delete();
        }
    }

    static void sign(String source, String target, String cert, String key, String chain) throws Exception {
        try (PDDocument document = PDDocument.load(new File(source)); OutputStream out = new FileOutputStream(target)) {
            PDSignature signature = new PDSignature();
            signature.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
            signature.setSubFilter(PDSignature.SUBFILTER_ADBE_PKCS7_DETACHED);
            signature.setSignDate(Calendar.getInstance());
            document.addSignature(signature, content -> opensslSign(content, cert, key, chain));
            document.saveIncremental(out);
        }
    }

    public static void main(String[] words) throws Exception {
        System.setProperty("org.apache.commons.logging.Log", "org.apache.commons.logging.impl.NoOpLog");
        if (words[0].equals("sign")) {
            sign(words[1], words[2], words[3], words[4], words[5]);
            return;
        }
        for (int i = 1; i + 1 < words.length; i += 2)
            System.out.println(check(words[i], words[i + 1]));
    }
}
