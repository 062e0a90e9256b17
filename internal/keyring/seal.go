package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
)

// Sealed bytes are a version, the key's id, a nonce, and AES-256-GCM's ciphertext with its tag. The key of the cipher is
// derived from the master key and the label; label, version and id are authenticated too.
const (
	sealVersion = 1
	nonceSize   = 12
	headSize    = 1 + idSize
	tagSize     = 16
)

// Overhead is how many bytes Seal adds.
const Overhead = headSize + nonceSize + tagSize

// Seal encrypts under the current key. Only Open with the same label, which says what it is and whose, gives it back.
func (r *Ring) Seal(label string, plain []byte) ([]byte, error) {
	k, ok := r.current()
	if !ok {
		return nil, ErrNoKey
	}
	id, err := hex.DecodeString(string(k.id))
	if err != nil {
		return nil, err
	}
	out := make([]byte, headSize+nonceSize, Overhead+len(plain))
	out[0] = sealVersion
	copy(out[1:], id)
	_, _ = rand.Read(out[headSize:]) // it never fails
	return k.aead(label).Seal(out, out[headSize:], plain, additional(out[:headSize], label)), nil
}

// Open decrypts what Seal made. The error is ErrNoKey when its key is not in the ring, and ErrForged when it is not what
// was sealed under the label.
func (r *Ring) Open(label string, sealed []byte) ([]byte, error) {
	if r == nil {
		return nil, ErrNoKey
	}
	id, ok := SealedBy(sealed)
	if !ok {
		return nil, ErrForged
	}
	k, ok := r.find(id)
	if !ok {
		return nil, ErrNoKey
	}
	plain, err := k.aead(label).Open(nil, sealed[headSize:headSize+nonceSize], sealed[headSize+nonceSize:], additional(sealed[:headSize], label))
	if err != nil {
		return nil, ErrForged
	}
	return plain, nil
}

// SealedBy tells which key bytes were sealed with, without opening them; false when they are not sealed bytes at all.
func SealedBy(sealed []byte) (ID, bool) {
	if len(sealed) < Overhead || sealed[0] != sealVersion {
		return "", false
	}
	return ID(hex.EncodeToString(sealed[1:headSize])), true
}

func additional(head []byte, label string) []byte {
	return append(append([]byte(nil), head...), label...)
}

func (k key) aead(label string) cipher.AEAD {
	block, err := aes.NewCipher(k.derive("seal " + label))
	if err == nil {
		var a cipher.AEAD
		if a, err = cipher.NewGCM(block); err == nil {
			return a
		}
	}
	panic(err) // only for other lengths of keys
}
