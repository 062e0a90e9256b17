package contact

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/google/uuid"
	"github.com/paulmach/orb"

	"gridgov/internal/keyring"
	"gridgov/internal/report"
)

const (
	dataKeySize = 32 // AES-256
	nonceSize   = 12
	toldSize    = 16
)

// The fields of a person that are sealed.
const (
	fieldName  = "name"
	fieldPhone = "phone"
	fieldEmail = "email"
	fieldHome  = "home"
)

// label is what a person's data key is sealed under.
func (s *Service) label(id uuid.UUID) string { return "contact " + s.City + " " + id.String() }

// indexer makes the MACs by which people are found. Its key is derived from the first key of the ring, not from the current
// one: a person must be found by a number after a rotation too, and the indexes cannot be made anew without opening
// everybody. Whoever takes the first key out of the file makes all who are known unknown.
type indexer struct{ key []byte }

func (s *Service) indexer() (indexer, error) {
	ids := s.Ring.IDs()
	if len(ids) == 0 {
		return indexer{}, errNoRing
	}
	return indexer{s.Ring.Derive(ids[0], "contact index "+s.City)}, nil
}

// mac is of the parts, none of which holds a zero byte.
func (x indexer) mac(parts ...string) []byte {
	h := hmac.New(sha256.New, x.key)
	for _, p := range parts {
		_, _ = h.Write([]byte(p)) // it never fails
		_, _ = h.Write([]byte{0})
	}
	return h.Sum(nil)
}

func (x indexer) phone(normal string) []byte {
	if normal == "" {
		return nil
	}
	return x.mac(fieldPhone, normal)
}

func (x indexer) email(normal string) []byte {
	if normal == "" {
		return nil
	}
	return x.mac(fieldEmail, normal)
}

// value is one field of what is told of a person.
type value struct{ field, text string }

func values(r *report.Reporter) []value {
	var list []value
	for _, v := range []value{{fieldName, r.Name}, {fieldPhone, r.Phone}, {fieldEmail, r.Email}, {fieldHome, homeText(r.Home)}} {
		if v.text != "" {
			list = append(list, v)
		}
	}
	return list
}

// told are MACs of all fields, once for the phone number and once for the e-mail address: who tells no more by the same
// number or address has MACs that are among them. Two people's MACs of one name have nothing in common.
func (x indexer) told(r *report.Reporter) [][]byte {
	var list [][]byte
	for _, by := range []value{{fieldPhone, r.Phone}, {fieldEmail, r.Email}} {
		if by.text == "" {
			continue
		}
		for _, v := range values(r) {
			list = append(list, x.mac("told", by.field, by.text, v.field, v.text)[:toldSize])
		}
	}
	return list
}

func (x indexer) digest(r *report.Reporter) []byte {
	parts := []string{"digest"}
	for _, v := range values(r) {
		parts = append(parts, v.field, v.text)
	}
	return x.mac(parts...)
}

func homeText(home *orb.Point) string {
	if home == nil {
		return ""
	}
	return strconv.FormatFloat(home[0], 'g', -1, 64) + " " + strconv.FormatFloat(home[1], 'g', -1, 64)
}

// box seals and opens one person's fields.
type box struct {
	id   uuid.UUID
	aead cipher.AEAD
}

func newBox(id uuid.UUID, dataKey []byte) (box, error) {
	block, err := aes.NewCipher(dataKey)
	if err != nil {
		return box{}, err
	}
	aead, err := cipher.NewGCM(block)
	return box{id, aead}, err
}

func (b box) label(field string) []byte { return []byte("contact " + b.id.String() + " " + field) }

// seal makes a nonce and AES-256-GCM's ciphertext with its tag; nothing of nothing.
func (b box) seal(field string, plain []byte) []byte {
	if len(plain) == 0 {
		return nil
	}
	nonce := make([]byte, nonceSize, nonceSize+len(plain)+b.aead.Overhead())
	_, _ = rand.Read(nonce) // it never fails
	return b.aead.Seal(nonce, nonce, plain, b.label(field))
}

func (b box) open(field string, sealed []byte) ([]byte, error) {
	if sealed == nil {
		return nil, nil
	}
	if len(sealed) < nonceSize {
		return nil, keyring.ErrForged
	}
	plain, err := b.aead.Open(nil, sealed[:nonceSize], sealed[nonceSize:], b.label(field))
	if err != nil {
		return nil, keyring.ErrForged
	}
	return plain, nil
}

// fields are one person's, sealed.
type fields struct{ name, phone, email, home []byte }

func (b box) sealAll(r *report.Reporter) fields {
	f := fields{name: b.seal(fieldName, []byte(r.Name)), phone: b.seal(fieldPhone, []byte(r.Phone)), email: b.seal(fieldEmail, []byte(r.Email))}
	if r.Home != nil {
		var point [16]byte
		binary.BigEndian.PutUint64(point[:8], math.Float64bits(r.Home[0]))
		binary.BigEndian.PutUint64(point[8:], math.Float64bits(r.Home[1]))
		f.home = b.seal(fieldHome, point[:])
	}
	return f
}

func (b box) openAll(f fields) (r report.Reporter, err error) {
	for _, one := range []struct {
		field  string
		sealed []byte
		to     *string
	}{{fieldName, f.name, &r.Name}, {fieldPhone, f.phone, &r.Phone}, {fieldEmail, f.email, &r.Email}} {
		plain, err := b.open(one.field, one.sealed)
		if err != nil {
			return r, err
		}
		*one.to = string(plain)
	}
	point, err := b.open(fieldHome, f.home)
	if err != nil || point == nil {
		return r, err
	}
	if len(point) != 16 {
		return r, keyring.ErrForged
	}
	r.Home = &orb.Point{math.Float64frombits(binary.BigEndian.Uint64(point[:8])), math.Float64frombits(binary.BigEndian.Uint64(point[8:]))}
	return r, nil
}

// Prepare checks who told a report and seals it under a new data key. It does no SQL, so that filing stays one statement.
// Faults: bad_phone, bad_email, key_missing.
func (s *Service) Prepare(told report.Reporter) (*report.Sealed, error) {
	of, err := normal(told)
	if err != nil {
		return nil, err
	}
	if len(values(&of)) == 0 {
		return nil, nil
	}
	index, err := s.indexer()
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	key := make([]byte, dataKeySize)
	_, _ = rand.Read(key) // it never fails
	b, err := newBox(id, key)
	if err != nil {
		return nil, err
	}
	sealedKey, err := s.Ring.Seal(s.label(id), key)
	if err != nil {
		return nil, unsealed(err)
	}
	by, _ := keyring.SealedBy(sealedKey)
	f := b.sealAll(&of)
	return &report.Sealed{Of: of, ID: id, DataKey: sealedKey, KeyID: string(by), Name: f.name, Phone: f.phone, Email: f.email, Home: f.home,
		PhoneIndex: index.phone(of.Phone), EmailIndex: index.email(of.Email), Told: index.told(&of), Digest: index.digest(&of)}, nil
}

// openKey opens a person's data key.
func (s *Service) openKey(id uuid.UUID, sealed []byte) (box, error) {
	key, err := s.Ring.Open(s.label(id), sealed)
	if err != nil {
		return box{}, err
	}
	return newBox(id, key)
}
