package photo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"sync"
	"time"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"

	"gridgov/internal/fault"
)

// The sides, in pixels, that the longer side of a published picture has at most. A smaller picture stays as large as it is.
const (
	LargeSide     = 1600
	ThumbnailSide = 320
)

// quality of the published JPEGs.
const (
	largeQuality     = 85
	thumbnailQuality = 80
)

// decodeTime is how long a picture may take: the largest take some seconds.
const decodeTime = time.Minute

// Workshop decodes pictures, as many at once as its memory holds. There is one a process.
type Workshop struct {
	memory int64
	room   *semaphore.Weighted
	shelf  *semaphore.Weighted // of files that are read from where they lie
	lane   *semaphore.Weighted // of HEIC, whose decoder cannot be stopped: one that does not end takes only from its own kind
	open   func(context.Context) (*heif, error)

	opening sync.Mutex
	opened  *heif // nil: not yet, or it could not be
}

// What HEIC has for itself.
const (
	heicAtOnce = 2
	heicWait   = 30 * time.Second
)

// errDecoder is that a decoder could not be begun, for which no file is at fault: it is read later.
var errDecoder = errors.New("the decoder does not start")

var errLane = errors.New("the decoders of HEIC are all at work, or do not end")

// NewWorkshop makes one that decodes in so many bytes, or one picture at a time where that takes more.
func NewWorkshop(memory int64) *Workshop {
	return &Workshop{memory: memory, room: semaphore.NewWeighted(memory), shelf: semaphore.NewWeighted(filesMemory), lane: semaphore.NewWeighted(heicAtOnce), open: openHEIF}
}

// heif is the decoder of HEIC, which is opened once. Where it cannot be it is tried again with the next picture.
func (w *Workshop) heif() (*heif, error) {
	w.opening.Lock()
	defer w.opening.Unlock()
	if w.opened == nil {
		h, err := w.open(context.Background())
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errDecoder, err)
		}
		w.opened = h
	}
	return w.opened, nil
}

// DefaultMemory holds one of the largest pictures, or dozens of a phone's.
const DefaultMemory = 512 << 20

// filesMemory holds six of the largest files, or dozens of a phone's, beside what decodes them.
const filesMemory = 6 * MaxBytes

// shelve makes room for a file in memory, or waits for it; done gives it back.
func (w *Workshop) shelve(ctx context.Context, length int64) (done func(), err error) {
	if err := w.shelf.Acquire(ctx, length); err != nil {
		return nil, err
	}
	return func() { w.shelf.Release(length) }, nil
}

// made is what is published of a picture: JPEGs without a word of metadata. Of a voice note it is the sound.
type made struct {
	mime             string
	w, h             int // of the large one's original, upright
	large, thumbnail []byte
	facts            Facts
	sound            []byte
	duration         time.Duration
}

// work reads a file and makes what is published of it. The error is a fault where the file is at fault; the context's where it ended.
func (w *Workshop) work(ctx context.Context, file []byte, zone *time.Location, now time.Time) (*made, error) {
	s, refused := look(file)
	if refused != nil {
		return nil, refused
	}
	isHEIC := s.mime == heicType
	if isHEIC {
		wait, cancel := context.WithTimeout(ctx, heicWait)
		err := w.lane.Acquire(wait, 1)
		if cancel(); err != nil {
			return nil, cmp.Or(ctx.Err(), errLane)
		}
	}
	take := min(s.memory+4*LargeSide*LargeSide*4, w.memory)
	if err := w.room.Acquire(ctx, take); err != nil {
		if isHEIC {
			w.lane.Release(1)
		}
		return nil, err
	}
	leave := sync.OnceFunc(func() { w.room.Release(take) })
	type result struct {
		*made
		err error
	}
	done := make(chan result, 1)
	timed, cancel := context.WithTimeout(ctx, decodeTime)
	defer cancel()
	go func() { // a decoder that does not listen keeps its room until it ends
		defer func() {
			leave()
			if isHEIC {
				w.lane.Release(1)
			}
		}()
		m, err := w.process(timed, file, &s, zone, now)
		done <- result{m, err}
	}()
	select {
	case r := <-done:
		if r.err != nil && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return r.made, r.err
	case <-timed.Done():
		if isHEIC {
			leave() // the sandbox has a limit of its own, and others are not to wait for it
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, refuse("too_slow", "the picture takes too long to read: save it as an ordinary JPEG")
	}
}

// process decodes, turns upright, and makes the sizes. A decoder that trips over a file is that file's fault.
func (w *Workshop) process(ctx context.Context, file []byte, s *shape, zone *time.Location, now time.Time) (m *made, err error) {
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("%w (%v)", damaged("the decoder gave up"), p)
		}
	}()
	src, err := w.decode(ctx, file, s)
	if errors.Is(err, errDecoder) {
		return nil, err
	}
	if err != nil {
		var f *fault.Error
		if !errors.As(err, &f) {
			err = fmt.Errorf("%w (%w)", damaged("it is not whole, or is made in an unusual way"), err)
		}
		return nil, err
	}
	b := src.Bounds()
	if got := (shape{w: b.Dx(), h: b.Dy()}); got.check() != nil || s.mime != heicType && (got.w != s.w || got.h != s.h) {
		return nil, damaged("it says two sizes")
	}
	raw := readEXIF(file, s.mime)
	m = &made{mime: s.mime, w: b.Dx(), h: b.Dy(), facts: raw.facts(zone, now)}
	large := shrink(src, LargeSide)
	if s.mime != heicType { // there the decoder has turned it
		large = upright(large, raw.orientation)
		if raw.orientation >= 5 && raw.orientation <= 8 {
			m.w, m.h = m.h, m.w
		}
	}
	if m.large, err = encode(large, largeQuality); err != nil {
		return nil, err
	}
	m.thumbnail, err = encode(shrink(large, ThumbnailSide), thumbnailQuality)
	return m, err
}

// attentive is a file whose reader is told when nobody waits any more.
type attentive struct {
	ctx context.Context
	r   io.Reader
}

func (a attentive) Read(b []byte) (int, error) {
	if err := a.ctx.Err(); err != nil {
		return 0, err
	}
	return a.r.Read(b[:min(len(b), 4096)])
}

func (w *Workshop) decode(ctx context.Context, file []byte, s *shape) (image.Image, error) {
	r := attentive{ctx, bytes.NewReader(file)}
	switch s.mime {
	case jpegType:
		return jpeg.Decode(r)
	case pngType:
		return png.Decode(r)
	case webpType:
		return webp.Decode(r)
	}
	h, err := w.heif()
	if err != nil {
		return nil, err
	}
	return h.decode(ctx, file)
}

// shrink makes a picture no longer than side, on white where it is transparent. First whole blocks of pixels become their
// mean, which is quick and takes no memory; then what is left is scaled.
func shrink(src image.Image, side int) *image.RGBA {
	b := src.Bounds()
	long := max(b.Dx(), b.Dy())
	block := mean(src, max(1, long/side))
	if long <= side {
		return block
	}
	w, h := max(1, (b.Dx()*side+long/2)/long), max(1, (b.Dy()*side+long/2)/long)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.ApproxBiLinear.Scale(out, out.Bounds(), block, block.Bounds(), draw.Src, nil)
	return out
}

// mean makes each k × k pixels one.
func mean(src image.Image, k int) *image.RGBA {
	b := src.Bounds()
	at := func(x, y int) color.RGBA64 {
		r, g, b, a := src.At(x, y).RGBA()
		return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
	}
	if quick, ok := src.(image.RGBA64Image); ok {
		at = quick.RGBA64At
	}
	w, h := (b.Dx()+k-1)/k, (b.Dy()+k-1)/k
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		y0, y1 := b.Min.Y+y*k, min(b.Min.Y+(y+1)*k, b.Max.Y)
		for x := range w {
			x0, x1 := b.Min.X+x*k, min(b.Min.X+(x+1)*k, b.Max.X)
			var red, green, blue uint64
			for py := y0; py < y1; py++ {
				for px := x0; px < x1; px++ {
					c := at(px, py)
					ground := 0xffff - uint64(c.A) // white shines through
					red, green, blue = red+uint64(c.R)+ground, green+uint64(c.G)+ground, blue+uint64(c.B)+ground
				}
			}
			n := uint64((y1 - y0) * (x1 - x0))
			p := out.Pix[out.PixOffset(x, y):]
			p[0], p[1], p[2], p[3] = uint8(red/n>>8), uint8(green/n>>8), uint8(blue/n>>8), 0xff
		}
	}
	return out
}

// upright turns a picture as its Exif orientation says (Exif 2.32, 4.6.4, tag 0x0112). Values that there are not change nothing.
func upright(src *image.RGBA, orientation int) *image.RGBA {
	if orientation < 2 || orientation > 8 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	outW, outH := w, h
	if orientation >= 5 {
		outW, outH = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, outW, outH))
	for y := range outH {
		for x := range outW {
			var sx, sy int
			switch orientation {
			case 2:
				sx, sy = w-1-x, y
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sx, sy = x, h-1-y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, h-1-x
			case 7:
				sx, sy = w-1-y, h-1-x
			case 8:
				sx, sy = w-1-y, x
			}
			copy(out.Pix[out.PixOffset(x, y):][:4], src.Pix[src.PixOffset(sx, sy):][:4])
		}
	}
	return out
}

func encode(m image.Image, q int) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, m, &jpeg.Options{Quality: q})
	return b.Bytes(), err
}
