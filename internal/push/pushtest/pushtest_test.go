package pushtest_test

import (
	"crypto/ecdh"
	"encoding/base64"
	"testing"

	"gridgov/internal/push/pushtest"
)

// The vector of RFC 8291, 5 and appendix A.
func TestDecryptsTheVector(t *testing.T) {
	decode := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	private, err := ecdh.P256().NewPrivateKey(decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
	if err != nil {
		t.Fatal(err)
	}
	auth := decode("BTBZMqHH6r4Tts7J_aSIgg")
	body := decode("DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN")
	plain, err := pushtest.Decrypt(private, auth, body)
	if err != nil || string(plain) != "When I grow up, I want to be a watermelon" {
		t.Errorf("%q, %v", plain, err)
	}
	for i := range body {
		bad := append([]byte(nil), body...)
		bad[i] ^= 1
		if plain, err := pushtest.Decrypt(private, auth, bad); err == nil && (i < 16 || i >= 20) { // the record's size binds nothing
			t.Errorf("with byte %d changed it reads %q", i, plain)
		}
	}
	if _, err := pushtest.Decrypt(private, make([]byte, 16), body); err == nil {
		t.Error("read with another secret")
	}
}
