import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

import org.apache.hadoop.shaded.com.nimbusds.jose.JOSEException;
import org.apache.hadoop.shaded.com.nimbusds.jose.JWSAlgorithm;
import org.apache.hadoop.shaded.com.nimbusds.jose.JWSHeader;
import org.apache.hadoop.shaded.com.nimbusds.jose.JWSSigner;
import org.apache.hadoop.shaded.com.nimbusds.jose.PlainHeader;
import org.apache.hadoop.shaded.com.nimbusds.jose.crypto.MACSigner;
import org.apache.hadoop.shaded.com.nimbusds.jose.crypto.factories.DefaultJWSSignerFactory;
import org.apache.hadoop.shaded.com.nimbusds.jose.jwk.AsymmetricJWK;
import org.apache.hadoop.shaded.com.nimbusds.jose.jwk.Curve;
import org.apache.hadoop.shaded.com.nimbusds.jose.jwk.JWK;
import org.apache.hadoop.shaded.com.nimbusds.jose.jwk.JWKSet;
import org.apache.hadoop.shaded.com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import org.apache.hadoop.shaded.com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import org.apache.hadoop.shaded.com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import org.apache.hadoop.shaded.com.nimbusds.jose.proc.JWSVerificationKeySelector;
import org.apache.hadoop.shaded.com.nimbusds.jose.proc.SecurityContext;
import org.apache.hadoop.shaded.com.nimbusds.jwt.JWTClaimsSet;
import org.apache.hadoop.shaded.com.nimbusds.jwt.PlainJWT;
import org.apache.hadoop.shaded.com.nimbusds.jwt.SignedJWT;
import org.apache.hadoop.shaded.com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import org.apache.hadoop.shaded.com.nimbusds.jwt.proc.DefaultJWTProcessor;

/** What the other classes ask of the library. */
final class Nimbus {
    static final String NAME = "Nimbus";

    /** Not EdDSA, for which it takes a library of its own, Tink. */
    static final List<String> ALGORITHMS =
            List.of("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384");

    private static final String DETAILS = "/META-INF/maven/com.nimbusds/nimbus-jose-jwt/pom.properties";

    private Nimbus() {}

    record Verified(Map<String, Object> header, Map<String, Object> claims) {}

    static String version() {
        Properties details = new Properties();
        try (InputStream stream = JWK.class.getResourceAsStream(DETAILS)) {
            details.load(stream);
        } catch (java.io.IOException error) {
            throw new java.io.UncheckedIOException(error);
        }
        return details.getProperty("version");
    }

    /** The key is chosen by the library, as the token's header says. */
    static Verified verify(
            Map<String, Object> jwks, String token, String algorithm, String issuer, String audience)
            throws Exception {
        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(
                JWSAlgorithm.parse(algorithm), new ImmutableJWKSet<>(JWKSet.parse(jwks))));
        JWTClaimsSet exact = new JWTClaimsSet.Builder().issuer(issuer).build();
        processor.setJWTClaimsSetVerifier(
                new DefaultJWTClaimsVerifier<>(audience, exact, Set.of("exp", "iat", "jti")));
        SignedJWT jwt = SignedJWT.parse(token);
        processor.process(jwt, null);
        return new Verified(jwt.getHeader().toJSONObject(), jwt.getPayload().toJSONObject());
    }

    static JWK generate(String algorithm) throws JOSEException {
        return switch (algorithm) {
            case "ES256" -> new ECKeyGenerator(Curve.P_256).generate();
            case "ES384" -> new ECKeyGenerator(Curve.P_384).generate();
            default -> new RSAKeyGenerator(2048).generate();
        };
    }

    static byte[] pem(JWK key) throws JOSEException {
        KeyPair pair = ((AsymmetricJWK) key).toKeyPair();
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(pair.getPublic().getEncoded());
        String pem = "-----BEGIN PUBLIC KEY-----\n" + base64 + "\n-----END PUBLIC KEY-----\n";
        return pem.getBytes(StandardCharsets.US_ASCII);
    }

    static String sign(JWK key, Map<String, Object> header, Map<String, Object> claims) throws Exception {
        JWSHeader parsed = JWSHeader.parse(header);
        return signed(new DefaultJWSSignerFactory().createJWSSigner(key, parsed.getAlgorithm()), parsed, claims);
    }

    static String signHs256(byte[] secret, Map<String, Object> header, Map<String, Object> claims) throws Exception {
        return signed(new MACSigner(secret), JWSHeader.parse(withAlgorithm(header, "HS256")), claims);
    }

    static String unsecured(Map<String, Object> header, Map<String, Object> claims) throws Exception {
        PlainHeader parsed = PlainHeader.parse(withAlgorithm(header, "none"));
        return new PlainJWT(parsed, JWTClaimsSet.parse(claims)).serialize();
    }

    private static String signed(JWSSigner signer, JWSHeader header, Map<String, Object> claims) throws Exception {
        SignedJWT jwt = new SignedJWT(header, JWTClaimsSet.parse(claims));
        jwt.sign(signer);
        return jwt.serialize();
    }

    private static Map<String, Object> withAlgorithm(Map<String, Object> header, String algorithm) {
        Map<String, Object> changed = new HashMap<>(header);
        changed.put("alg", algorithm);
        return changed;
    }
}
