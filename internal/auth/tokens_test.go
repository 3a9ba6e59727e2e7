package auth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
)

const secret = "a secret of the tests, 32 bytes or more"

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

type object = map[string]any

// good is what a token must say to be believed.
func good(changes object) object {
	claims := object{"sub": "anna", "role": "owner", "iat": start.Unix(), "exp": start.Add(time.Hour).Unix()}
	for name, value := range changes {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	return claims
}

func sign(t testing.TB, method jwt.SigningMethod, key any, header, claims object) string {
	t.Helper()
	token := jwt.NewWithClaims(method, jwt.MapClaims(claims))
	for name, value := range header {
		token.Header[name] = value
		if value == nil {
			delete(token.Header, name)
		}
	}
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func believer(t testing.TB, change func(*auth.TokenOptions)) *auth.Tokens {
	t.Helper()
	options := auth.TokenOptions{Secret: secret, Now: func() time.Time { return start }}
	if change != nil {
		change(&options)
	}
	tokens, err := auth.NewTokens(options)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// request is a REST call with a token.
func request(token string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/books", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// handshake is a socket's CONNECT with a token.
func handshake(t testing.TB, token string) auth.Handshake {
	t.Helper()
	presented, err := json.Marshal(object{"token": token})
	if err != nil {
		t.Fatal(err)
	}
	return auth.Handshake{Auth: presented}
}

// expectUnauthenticated holds every refusal to the contract: one text, no word of the token.
func expectUnauthenticated(t *testing.T, err error, token string) {
	t.Helper()
	var refusal *catalog.Error
	if !errors.As(err, &refusal) || refusal.Code != catalog.CodeUnauthenticated || refusal.Text != "Authentication error" {
		t.Fatalf("error %v, want Authentication error", err)
	}
	for part := range strings.SplitSeq(token, ".") {
		if len(part) > 8 && strings.Contains(err.Error()+refusal.Detail, part) {
			t.Errorf("the error holds a part of the token: %v", err)
		}
	}
}

// Each attack on a token is refused over REST, on a socket and by renew alike.
func TestTokensThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	hs256 := jwt.SigningMethodHS256
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	genuine := sign(t, hs256, []byte(secret), nil, good(nil))
	head, rest, _ := strings.Cut(genuine, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	forged := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"eve","role":"owner","exp":99999999999}`))
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	with := func(changes object) string { return sign(t, hs256, []byte(secret), nil, good(changes)) }
	headed := func(header object) string { return sign(t, hs256, []byte(secret), header, good(nil)) }

	tokens := believer(t, func(o *auth.TokenOptions) { o.Issuer, o.Audience = "library", "shelfcast" })
	plain := believer(t, nil)
	skewed := believer(t, func(o *auth.TokenOptions) { o.ClockSkew = time.Minute })
	for _, attack := range []struct {
		name, token string
		by          *auth.Tokens
	}{
		{"empty", "", plain},
		{"not a token", "anna", plain},
		{"two parts", head + "." + payload, plain},
		{"four parts", genuine + ".x", plain},
		{"not base64", "!!!.???.***", plain},
		{"not JSON", "AAAA.AAAA.AAAA", plain},
		{"signature cut", head + "." + payload + ".", plain},
		{"signature changed", head + "." + payload + "." + flip(signature), plain},
		{"signature spelt otherwise", genuine[:len(genuine)-1] + nextInGroup(genuine[len(genuine)-1]), plain},
		{"payload changed", head + "." + forged + "." + signature, plain},
		{"algorithm none", none + "." + payload + ".", plain},
		{"algorithm none, signature kept", none + "." + payload + "." + signature, plain},
		{"algorithm nOnE", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"nOnE"}`)) + "." + payload + ".", plain},
		{"none by the library", sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, good(nil)), plain},
		{"another secret", sign(t, hs256, []byte("another secret of 32 bytes or more!!"), nil, good(nil)), plain},
		{"no secret", sign(t, hs256, []byte{}, nil, good(nil)), plain},
		{"HS512 with our secret", sign(t, jwt.SigningMethodHS512, []byte(secret), nil, good(nil)), plain},
		{"RS256 where a secret is expected", sign(t, jwt.SigningMethodRS256, private, nil, good(nil)), plain},
		{"wrong typ", headed(object{"typ": "dpop+jwt"}), plain},
		{"typ is no text", headed(object{"typ": 1}), plain},
		{"extensions", headed(object{"crit": []string{"b64"}, "b64": false}), plain},
		{"a token in a token", sign(t, hs256, []byte(secret), object{"cty": "JWT", "typ": "JWE"}, good(nil)), plain},
		{"a token as a payload", head + "." + base64.RawURLEncoding.EncodeToString([]byte(`"`+genuine+`"`)) + "." + signature, plain},
		{"a list of algorithms", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":["none","HS256"]}`)) + "." + payload + "." + signature, plain},
		{"two algorithms", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","alg":"none"}`)) + "." + payload + ".", plain},
		{"an algorithm by another name", base64.RawURLEncoding.EncodeToString([]byte(`{"ALG":"none"}`)) + "." + payload + ".", plain},
		{"the JSON form", `{"payload":"` + payload + `","protected":"` + head + `","signature":"` + signature + `"}`, plain},
		{"a line break in it", head + "." + payload + "." + signature[:9] + "\n" + signature[9:], plain},
		{"padded", genuine + "=", plain},
		{"roles one after the other", signedText(secret, `{"sub":"eve","role":"owner","exp":99999999999,"role":["reader"]}`), plain},
		{"an exp that was taken back", signedText(secret, fmt.Sprintf(`{"sub":"eve","role":"owner","exp":99999999999,"exp":%d}`, start.Unix())), plain},
		{"deep claims", signedText(secret, `{"sub":`+strings.Repeat("[", 4000)), plain},
		{"expired by the skew and a second", with(object{"exp": start.Add(-61 * time.Second).Unix()}), skewed},
		{"expired by just the skew", with(object{"exp": start.Add(-60 * time.Second).Unix()}), skewed},
		{"valid a second after the skew", with(object{"nbf": start.Add(61 * time.Second).Unix()}), skewed},
		{"from a second after the skew", with(object{"iat": start.Add(61 * time.Second).Unix()}), skewed},
		{"expired", with(object{"exp": start.Add(-time.Second).Unix()}), plain},
		{"expires now", with(object{"exp": start.Unix()}), plain},
		{"no exp", with(object{"exp": nil}), plain},
		{"exp is a text", with(object{"exp": "tomorrow"}), plain},
		{"exp beyond all", with(object{"exp": 1e300}), plain},
		{"not valid yet", with(object{"nbf": start.Add(time.Minute).Unix()}), plain},
		{"not valid for ages", with(object{"nbf": 1e300}), plain},
		{"exp in the year 10000", with(object{"exp": time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()}), plain},
		{"from the future", with(object{"iat": start.Add(time.Minute).Unix()}), plain},
		{"no user", with(object{"sub": nil}), plain},
		{"empty user", with(object{"sub": ""}), plain},
		{"user is a number", with(object{"sub": 7}), plain},
		{"user with a line break", with(object{"sub": "anna\nlevel=ERROR"}), plain},
		{"user too long", with(object{"sub": strings.Repeat("a", 129)}), plain},
		{"two users", with(object{"userId": "eve"}), plain},
		{"no role", with(object{"role": nil}), plain},
		{"unknown role", with(object{"role": "admin"}), plain},
		{"role in capitals", with(object{"role": "OWNER"}), plain},
		{"role by another name", with(object{"role": nil, "Role": "owner"}), plain},
		{"user by another name", with(object{"sub": nil, "Sub": "anna", "USERID": "anna"}), plain},
		{"exp by another name", with(object{"exp": nil, "Exp": start.Add(time.Hour).Unix()}), plain},
		{"several roles", with(object{"role": []string{"owner"}}), plain},
		{"huge", genuine + strings.Repeat("A", auth.MaxTokenBytes), plain},
		{"huge and genuine", with(object{"note": strings.Repeat("A", auth.MaxTokenBytes)}), plain},
		{"no issuer", with(object{"aud": "shelfcast"}), tokens},
		{"another issuer", with(object{"aud": "shelfcast", "iss": "eve"}), tokens},
		{"no audience", with(object{"iss": "library"}), tokens},
		{"another audience", with(object{"iss": "library", "aud": []string{"shop"}}), tokens},
	} {
		t.Run(attack.name, func(t *testing.T) {
			t.Parallel()
			_, err := attack.by.Request(request(attack.token))
			expectUnauthenticated(t, err, attack.token)
			_, err = attack.by.Handshake(t.Context(), handshake(t, attack.token))
			expectUnauthenticated(t, err, attack.token)
			_, err = attack.by.Renew(t.Context(), catalog.Actor{UserID: "anna", Role: catalog.RoleReader}, attack.token)
			expectUnauthenticated(t, err, attack.token)
		})
	}
}

// signedText signs claims that no library would write.
func signedText(key, claims string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// flip changes the first letter, which holds six bits that count.
func flip(text string) string {
	if text[0] == 'A' {
		return "B" + text[1:]
	}
	return "A" + text[1:]
}

// nextInGroup is another last letter of 32 bytes in base64: it differs in bits that do not count.
func nextInGroup(last byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, last)^1])
}

func TestTokensThatAreBelieved(t *testing.T) {
	t.Parallel()
	hs256 := jwt.SigningMethodHS256
	plain := believer(t, nil)
	skewed := believer(t, func(o *auth.TokenOptions) { o.ClockSkew = time.Minute })
	strict := believer(t, func(o *auth.TokenOptions) { o.Issuer, o.Audience = "library", "shelfcast" })
	with := func(changes object) string { return sign(t, hs256, []byte(secret), nil, good(changes)) }
	owner := catalog.Actor{UserID: "anna", Role: catalog.RoleOwner}
	for _, one := range []struct {
		name, token string
		by          *auth.Tokens
		want        catalog.Actor
	}{
		{"plain", with(nil), plain, owner},
		{"reader", with(object{"role": "reader"}), plain, catalog.Actor{UserID: "anna", Role: catalog.RoleReader}},
		{"the handbook's userId", with(object{"sub": nil, "userId": "anna"}), plain, owner},
		{"both names alike", with(object{"userId": "anna"}), plain, owner},
		{"no typ", sign(t, hs256, []byte(secret), object{"typ": nil}, good(nil)), plain, owner},
		{"access token", sign(t, hs256, []byte(secret), object{"typ": "at+JWT"}, good(nil)), plain, owner},
		{"issuer and audience", with(object{"iss": "library", "aud": []string{"shop", "shelfcast"}}), strict, owner},
		{"within the skew", with(object{"exp": start.Add(-30 * time.Second).Unix(), "iat": start.Add(-time.Hour).Unix()}), skewed, owner},
		{"a second before the skew is over", with(object{"exp": start.Add(-59 * time.Second).Unix()}), skewed, owner},
		{"valid as soon as the skew lets it", with(object{"nbf": start.Add(60 * time.Second).Unix()}), skewed, owner},
		// Where a claim is given twice the last one counts (RFC 7519, section 4): whoever signs sees the same.
		{"a role twice", signedText(secret, `{"sub":"anna","role":"owner","exp":9999999999,"role":"reader"}`), plain, catalog.Actor{UserID: "anna", Role: catalog.RoleReader}},
		{"key ids and addresses that mean nothing with a secret", sign(t, hs256, []byte(secret), object{
			"kid": "../../../dev/null", "jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/", "x5c": []string{"AAAA"}, "jwk": object{"kty": "oct", "k": "AAAA"},
		}, good(nil)), plain, owner},
		{"a clock that is ahead", with(object{"iat": start.Add(30 * time.Second).Unix()}), skewed, owner},
	} {
		actor, err := one.by.Request(request(one.token))
		if err != nil || actor != one.want {
			t.Errorf("%s, REST: %+v, %v", one.name, actor, err)
		}
		identity, err := one.by.Handshake(t.Context(), handshake(t, one.token))
		if err != nil || identity.Actor != one.want || identity.Ends().Before(start) {
			t.Errorf("%s, socket: %+v, %v", one.name, identity, err)
		}
	}
}

// Nothing but the header says who asks over REST.
func TestTokensComeInTheHeader(t *testing.T) {
	t.Parallel()
	tokens := believer(t, nil)
	token := sign(t, jwt.SigningMethodHS256, []byte(secret), nil, good(nil))
	for name, header := range map[string][]string{
		"none": nil, "two": {"Bearer " + token, "Bearer " + token}, "basic": {"Basic " + token},
		"no scheme": {token}, "empty": {""}, "scheme alone": {"Bearer"}, "comma": {"Bearer " + token + ",x"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/books?token="+token+"&access_token="+token+"&userId=anna", nil)
		r.Header["Authorization"] = header
		r.Header.Set(auth.HeaderUserID, "anna")
		r.AddCookie(&http.Cookie{Name: "token", Value: token})
		_, err := tokens.Request(r)
		if catalog.ErrorCode(err) != catalog.CodeUnauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := request(token)
	r.Header.Set("Authorization", "bearer  "+token)
	if actor, err := tokens.Request(r); err != nil || actor.UserID != "anna" {
		t.Errorf("the scheme's case does not matter (RFC 9110, section 11.1): %v", err)
	}
	for _, presented := range []string{``, `null`, `{}`, `[]`, `"` + token + `"`, `{"token":7}`, `{"token":["` + token + `"]}`, `{"token":""}`} {
		if _, err := tokens.Handshake(t.Context(), auth.Handshake{Auth: json.RawMessage(presented)}); catalog.ErrorCode(err) != catalog.CodeUnauthenticated {
			t.Errorf("auth %s: %v", presented, err)
		}
	}
}

func TestTokensSpeakForOneUser(t *testing.T) {
	t.Parallel()
	tokens := believer(t, nil)
	anna := catalog.Actor{UserID: "anna", Role: catalog.RoleReader}
	for _, claimed := range []string{"", "anna"} {
		if actor, err := tokens.Claim(anna, claimed); err != nil || actor != anna {
			t.Errorf("claiming %q: %+v, %v", claimed, actor, err)
		}
	}
	if _, err := tokens.Claim(anna, "ben"); catalog.ErrorCode(err) != catalog.CodeForbidden {
		t.Errorf("claiming another's name: %v", err)
	}
	token := sign(t, jwt.SigningMethodHS256, []byte(secret), nil, good(nil))
	if identity, err := tokens.Renew(t.Context(), anna, token); err != nil || identity.Actor.Role != catalog.RoleOwner {
		t.Errorf("renewing with another role: %+v, %v", identity, err)
	}
	if _, err := tokens.Renew(t.Context(), catalog.Actor{UserID: "ben"}, token); catalog.ErrorCode(err) != catalog.CodeUnauthenticated {
		t.Errorf("renewing with another's token: %v", err)
	}
}

func TestTokenOptionsAreChecked(t *testing.T) {
	t.Parallel()
	keys := keySet(t, func() []byte { return []byte(`{"keys":[]}`) })
	for name, options := range map[string]auth.TokenOptions{
		"nothing": {}, "short": {Secret: "hunter2"}, "both": {Secret: secret, Keys: keys},
	} {
		if _, err := auth.NewTokens(options); err == nil || options.Secret != "" && strings.Contains(err.Error(), options.Secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMintedTokensAreBelieved(t *testing.T) {
	t.Parallel()
	options := auth.MintOptions{
		Secret: secret, Issuer: "library", Audience: "shelfcast",
		Actor: catalog.Actor{UserID: "anna", Role: catalog.RoleReader}, From: start, For: time.Hour,
	}
	token, expires, err := auth.Mint(options)
	if err != nil || !expires.Equal(start.Add(time.Hour)) {
		t.Fatalf("%v, %v", expires, err)
	}
	tokens := believer(t, func(o *auth.TokenOptions) { o.Issuer, o.Audience = "library", "shelfcast" })
	if actor, err := tokens.Request(request(token)); err != nil || actor != options.Actor {
		t.Errorf("%+v, %v", actor, err)
	}
	for name, change := range map[string]func(*auth.MintOptions){
		"short secret": func(o *auth.MintOptions) { o.Secret = "hunter2" },
		"no time":      func(o *auth.MintOptions) { o.For = 0 },
		"no user":      func(o *auth.MintOptions) { o.Actor.UserID = "" },
		"bad user":     func(o *auth.MintOptions) { o.Actor.UserID = "a\nb" },
		"no role":      func(o *auth.MintOptions) { o.Actor.Role = "king" },
	} {
		wrong := options
		change(&wrong)
		if token, _, err := auth.Mint(wrong); err == nil || token != "" {
			t.Errorf("%s: minted", name)
		}
	}
}

// keySet serves what published gives, and believes it.
func keySet(t *testing.T, published func() []byte) *auth.KeySet {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(published())
	}))
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		server.Close()
	})
	keys, err := auth.NewKeySet(ctx, server.URL, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// published is a public key as a JWKS document writes it (RFC 7517, RFC 8037).
func published(t *testing.T, kid string, key crypto.PublicKey) object {
	t.Helper()
	text := base64.RawURLEncoding.EncodeToString
	switch key := key.(type) {
	case *rsa.PublicKey:
		return object{"kty": "RSA", "kid": kid, "n": text(key.N.Bytes()), "e": "AQAB"}
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return object{"kty": "EC", "kid": kid, "crv": "P-256", "x": text(point[1:33]), "y": text(point[33:])}
	case ed25519.PublicKey:
		return object{"kty": "OKP", "kid": kid, "crv": "Ed25519", "x": text(key)}
	}
	t.Fatalf("%T", key)
	return nil
}

func TestKeySets(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	document := func(keys ...object) []byte {
		text, err := json.Marshal(object{"keys": keys})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	first := document(published(t, "r", &rsaKey.PublicKey), published(t, "e", &ecKey.PublicKey))
	second := document(published(t, "d", edPublic))
	var rotated atomic.Bool
	var fetched atomic.Int32
	keys := keySet(t, func() []byte {
		fetched.Add(1)
		if rotated.Load() {
			return second
		}
		return first
	})
	tokens := believer(t, func(o *auth.TokenOptions) { o.Secret, o.Keys = "", keys })
	kid := func(id string) object { return object{"kid": id} }
	believed := func(token string) bool {
		_, err := tokens.Request(request(token))
		if err != nil {
			expectUnauthenticated(t, err, token)
		}
		return err == nil
	}
	byRSA := sign(t, jwt.SigningMethodRS256, rsaKey, kid("r"), good(nil))
	byEC := sign(t, jwt.SigningMethodES256, ecKey, kid("e"), good(nil))
	byEd := sign(t, jwt.SigningMethodEdDSA, edKey, kid("d"), good(nil))
	for name, token := range map[string]string{"RS256": byRSA, "ES256": byEC, "no kid": sign(t, jwt.SigningMethodES256, ecKey, nil, good(nil))} {
		if !believed(token) {
			t.Errorf("%s is not believed", name)
		}
	}
	// The classic confusion: what everybody can read, taken as a secret.
	modulus := rsaKey.PublicKey.N.Bytes()
	for name, token := range map[string]string{
		"HS256 with the modulus":      sign(t, jwt.SigningMethodHS256, modulus, kid("r"), good(nil)),
		"HS256 with the document":     sign(t, jwt.SigningMethodHS256, first, kid("r"), good(nil)),
		"another key's id":            sign(t, jwt.SigningMethodRS256, rsaKey, kid("e"), good(nil)),
		"RS512":                       sign(t, jwt.SigningMethodRS512, rsaKey, kid("r"), good(nil)),
		"PS256":                       sign(t, jwt.SigningMethodPS256, rsaKey, kid("r"), good(nil)),
		"kid is a number":             sign(t, jwt.SigningMethodRS256, rsaKey, object{"kid": 1}, good(nil)),
		"a key that the token brings": sign(t, jwt.SigningMethodEdDSA, edKey, object{"jwk": published(t, "x", edPublic)}, good(nil)),
		"a certificate's address":     sign(t, jwt.SigningMethodEdDSA, edKey, object{"x5u": "http://127.0.0.1:1/cert"}, good(nil)),
		"a certificate it brings":     sign(t, jwt.SigningMethodEdDSA, edKey, object{"x5c": []string{"AAAA"}, "x5t": "AAAA"}, good(nil)),
		"a file as key id":            sign(t, jwt.SigningMethodHS256, []byte{}, kid("../../../../dev/null"), good(nil)),
		"a query as key id":           sign(t, jwt.SigningMethodHS256, []byte("x"), kid("r' UNION SELECT 'x"), good(nil)),
		"an address it brings":        sign(t, jwt.SigningMethodEdDSA, edKey, object{"jku": "http://127.0.0.1:1/keys"}, good(nil)),
	} {
		if believed(token) {
			t.Errorf("%s is believed", name)
		}
	}
	// A key id that is not known fetches the keys, but not as often as a stranger likes.
	rotated.Store(true)
	if !believed(byEd) {
		t.Error("a new key is not believed")
	}
	if believed(byRSA) {
		t.Error("a withdrawn key is believed")
	}
	before := fetched.Load()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	for i := range 200 {
		r := request(sign(t, jwt.SigningMethodEdDSA, edKey, kid(fmt.Sprint("made up ", i)), good(nil))).WithContext(ctx)
		if _, err := tokens.Request(r); err == nil {
			t.Fatal("a made-up key id is believed")
		}
	}
	if more := fetched.Load() - before; more > 1 {
		t.Errorf("%d fetches for made-up key ids", more)
	}
}

// Whatever the other side answers, the server starts, believes nobody, and keeps little.
func TestKeySetsThatAreNone(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	token := sign(t, jwt.SigningMethodEdDSA, key, object{"kid": "d"}, good(nil))
	for name, answer := range map[string][]byte{
		"nothing": nil, "not JSON": []byte("<html>"), "no keys": []byte(`{}`),
		"a secret": []byte(`{"keys":[{"kty":"oct","kid":"d","k":"c2VjcmV0"}]}`),
		"endless":  append([]byte(`{"keys":[`), bytes.Repeat([]byte(" "), 1<<20)...),
	} {
		keys := keySet(t, func() []byte { return answer })
		tokens := believer(t, func(o *auth.TokenOptions) { o.Secret, o.Keys = "", keys })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if _, err := tokens.Request(request(token).WithContext(ctx)); catalog.ErrorCode(err) != catalog.CodeUnauthenticated {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

// Whatever a stranger sends as a token: nothing but the one that was signed is believed.
func FuzzTokens(f *testing.F) {
	tokens := believer(f, nil)
	signed := sign(f, jwt.SigningMethodHS256, []byte(secret), nil, good(nil))
	for _, seed := range []string{"", ".", "..", "...", signed, signed + ".", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOltdfQ.W10.AA", strings.Repeat(".", 10000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		identity, err := tokens.Handshake(t.Context(), handshake(t, token))
		if (err == nil) != (token == signed) {
			t.Errorf("%q: %+v, %v", token, identity, err)
		}
		if err != nil && catalog.ErrorCode(err) != catalog.CodeUnauthenticated {
			t.Errorf("%q: %v", token, err)
		}
		if actor, err := tokens.Request(request(token)); err == nil && actor.UserID != "anna" {
			t.Errorf("%q: %+v", token, actor)
		}
	})
}
