package photo

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // heif.wasm.gz
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// HEIC is decoded by libheif and libde265 in a sandbox: WebAssembly with a memory of its own, which ends with the picture. A
// library of the machine's would read strangers' files within this process. heif/README.md says where the file is from.

//go:embed heif/heif.wasm.gz
var heifWASM []byte

// heifPages is the memory that one picture may take, in pages of 64 kB: 1 GiB, what the largest that is taken needs.
const heifPages = 1 << 14

// heif is the decoder, compiled once. It is not compiled to end with a context: that makes it five times slower.
type heif struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

func openHEIF(ctx context.Context) (*heif, error) {
	z, err := gzip.NewReader(bytes.NewReader(heifWASM))
	if err != nil {
		return nil, err
	}
	code, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	h := &heif{runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(heifPages))}
	if _, err = wasi_snapshot_preview1.Instantiate(ctx, h.runtime); err == nil {
		h.module, err = h.runtime.CompileModule(ctx, code)
	}
	if err != nil {
		return nil, errors.Join(err, h.runtime.Close(ctx))
	}
	return h, nil
}

// libheif's numbers.
const (
	heifRGB        = 1
	heifMono       = 2
	heif420        = 1
	heif422        = 2
	heif444        = 3
	heifYCbCr      = 0
	heifAlignment  = 16 // of a row
	heifParameters = 5  // words that decode writes: width, height, colour space, chroma, premultiplied
)

var errHEIC = errors.New("libheif does not read it")

// decode decodes the primary picture, turned as the file says.
func (h *heif) decode(ctx context.Context, file []byte) (image.Image, error) {
	mod, err := h.runtime.InstantiateModule(ctx, h.module, wazero.NewModuleConfig().WithName("")) // without files, clock, output
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDecoder, err)
	}
	defer func() { _ = mod.Close(context.WithoutCancel(ctx)) }()
	call := func(name string, args ...uint64) (uint32, error) {
		out, err := mod.ExportedFunction(name).Call(ctx, args...)
		switch {
		case err != nil:
			return 0, fmt.Errorf("libheif: %w", err)
		case len(out) == 0:
			return 0, errHEIC
		}
		return uint32(out[0]), nil
	}
	in, err := call("malloc", uint64(len(file)))
	if err != nil {
		return nil, err
	}
	said, err := call("malloc", 4*heifParameters)
	if err != nil {
		return nil, err
	}
	if in == 0 || said == 0 || !mod.Memory().Write(in, file) {
		return nil, errHEIC
	}
	run := func(onlySize uint64, out uint32) error {
		ok, err := call("decode", uint64(in), uint64(len(file)), onlySize, uint64(said), uint64(said+4), uint64(said+8), uint64(said+12), uint64(said+16), uint64(out))
		if err == nil && ok == 0 {
			err = errHEIC
		}
		return err
	}
	if err := run(1, 0); err != nil {
		return nil, err
	}
	p, ok := planesAt(mod.Memory(), said)
	if !ok {
		return nil, errHEIC
	}
	out, err := call("malloc", uint64(p.bytes()))
	if err != nil {
		return nil, err
	}
	if out == 0 {
		return nil, errHEIC
	}
	if err := run(0, out); err != nil {
		return nil, err
	}
	pixels, ok := mod.Memory().Read(out, uint32(p.bytes()))
	if !ok {
		return nil, errHEIC
	}
	return p.image(bytes.Clone(pixels)), nil // the sandbox's memory goes
}

// planes say how the pixels lie.
type planes struct {
	w, h          int
	space, chroma uint32
	premultiplied bool
}

func planesAt(m api.Memory, at uint32) (p planes, ok bool) {
	var word [heifParameters]uint32
	for i := range word {
		if word[i], ok = m.ReadUint32Le(at + 4*uint32(i)); !ok {
			return p, false
		}
	}
	s := shape{w: int(min(word[0], 1<<31-1)), h: int(min(word[1], 1<<31-1))}
	p = planes{s.w, s.h, word[2], word[3], word[4] == 1}
	known := p.space == heifRGB || p.space == heifMono || p.space == heifYCbCr && p.chroma >= heif420 && p.chroma <= heif444
	return p, known && s.check() == nil
}

// row is how many bytes libheif has for a row of n pixels of a plane: it makes none narrower than 64.
func row(n, perPixel int) int {
	return (max(n, 64)*perPixel + heifAlignment - 1) / heifAlignment * heifAlignment
}

// strides of the first plane and of the two others, and how many rows those have.
func (p *planes) strides() (first, others, rows int) {
	switch {
	case p.space == heifRGB:
		return row(p.w, 4), 0, 0
	case p.space == heifMono:
		return row(p.w, 1), 0, 0
	case p.chroma == heif444:
		return row(p.w, 1), row(p.w, 1), p.h
	case p.chroma == heif422:
		return row(p.w, 1), row((p.w+1)/2, 1), p.h
	}
	return row(p.w, 1), row((p.w+1)/2, 1), (p.h + 1) / 2
}

func (p *planes) bytes() int {
	first, others, rows := p.strides()
	return first*p.h + 2*others*rows
}

func (p *planes) image(pixels []byte) image.Image {
	first, others, rows := p.strides()
	rect := image.Rect(0, 0, p.w, p.h)
	switch {
	case p.space == heifMono:
		return &image.Gray{Pix: pixels, Stride: first, Rect: rect}
	case p.space == heifRGB && p.premultiplied:
		return &image.RGBA{Pix: pixels, Stride: first, Rect: rect}
	case p.space == heifRGB:
		return &image.NRGBA{Pix: pixels, Stride: first, Rect: rect}
	}
	y, c := first*p.h, others*rows
	ratio := map[uint32]image.YCbCrSubsampleRatio{heif420: image.YCbCrSubsampleRatio420, heif422: image.YCbCrSubsampleRatio422, heif444: image.YCbCrSubsampleRatio444}[p.chroma]
	return &image.YCbCr{Y: pixels[:y:y], Cb: pixels[y : y+c : y+c], Cr: pixels[y+c:], YStride: first, CStride: others, SubsampleRatio: ratio, Rect: rect}
}
