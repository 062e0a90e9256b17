package tiles

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Extent is the units a side of a tile's layers have, save for heat, whose unit is the cell.
const Extent = 4096

// Tags of the MVT 2.1 messages: field number and wire type in one byte.
const (
	tagTileLayer    = 3<<3 | 2
	tagLayerName    = 1<<3 | 2
	tagLayerFeature = 2<<3 | 2
	tagLayerKey     = 3<<3 | 2
	tagLayerValue   = 4<<3 | 2
	tagLayerExtent  = 5 << 3
	tagLayerVersion = 15 << 3

	tagFeatureID       = 1 << 3
	tagFeatureTags     = 2<<3 | 2
	tagFeatureType     = 3 << 3
	tagFeatureGeometry = 4<<3 | 2

	tagValueString = 1<<3 | 2
	tagValueFloat  = 2<<3 | 5
	tagValueUint   = 5 << 3
	tagValueBool   = 7 << 3
)

// Geometry types and commands.
const (
	typePoint   = 1
	typeLine    = 2
	typePolygon = 3

	moveTo    = 1
	lineTo    = 2
	closePath = 7
)

func command(id, count int) uint64 { return uint64(count)<<3 | uint64(id) }

func zigzag(v int) uint64 { return protowire.EncodeZigZag(int64(v)) }

// layerRoom is what beginLayer leaves for the tag and the length of a layer: one byte and at most five.
const layerRoom = 6

// beginLayer starts a layer at the end of dst. Features follow, then endLayer with the same start.
func beginLayer(dst []byte) (out []byte, start int) {
	return append(dst, 0, 0, 0, 0, 0, 0), len(dst)
}

// endLayer finishes the layer begun at start: its name, keys and encoded values (whole fields). Protobuf leaves the order
// of fields free, so what is known last comes last; the body moves down to its header once.
func endLayer(dst []byte, start int, name string, keys []string, values []byte, extent int) []byte {
	dst = appendText(dst, tagLayerName, name)
	for _, key := range keys {
		dst = appendText(dst, tagLayerKey, key)
	}
	dst = append(dst, values...)
	dst = protowire.AppendVarint(append(dst, tagLayerExtent), uint64(extent))
	dst = append(dst, tagLayerVersion, 2)

	body := dst[start+layerRoom:]
	head := protowire.AppendVarint(append(dst[:start], tagTileLayer), uint64(len(body)))
	return append(head, body...) // downwards within the same memory
}

func appendText(dst []byte, tag byte, text string) []byte {
	return protowire.AppendString(append(dst, tag), text)
}

func appendStringValue(dst []byte, text string) []byte {
	size := 1 + protowire.SizeVarint(uint64(len(text))) + len(text)
	dst = protowire.AppendVarint(append(dst, tagLayerValue), uint64(size))
	return appendText(dst, tagValueString, text)
}

func appendUintValue(dst []byte, n uint64) []byte {
	dst = append(dst, tagLayerValue, byte(1+protowire.SizeVarint(n)), tagValueUint)
	return protowire.AppendVarint(dst, n)
}

func appendFloatValue(dst []byte, f float32) []byte {
	dst = append(dst, tagLayerValue, 5, tagValueFloat)
	return protowire.AppendFixed32(dst, math.Float32bits(f))
}

func appendBoolValue(dst []byte, b bool) []byte {
	return append(dst, tagLayerValue, 2, tagValueBool, byte(protowire.EncodeBool(b)))
}
