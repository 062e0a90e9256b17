/**
 * What a camera says of where and when (Exif) stands in a segment of its own, APP1, near the beginning of a JPEG. A picture that was drawn
 * anew has lost it; it is put back, so that the service reads of the small picture what it would have read of the large one.
 */

const app1 = 0xe1
const startOfScan = 0xda
const orientationTag = 0x0112
/** A segment says its length in two bytes. */
const longest = 65_535

/** The Exif segment of a JPEG, its marker with it; null where there is none. */
export function exifOf(jpeg: Uint8Array): Uint8Array | null {
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) return null
  for (let at = 2; at + 4 <= jpeg.length; ) {
    if (jpeg[at] !== 0xff) return null
    const marker = jpeg[at + 1]!
    const length = (jpeg[at + 2]! << 8) | jpeg[at + 3]!
    if (marker === startOfScan || length < 2) return null
    const next = at + 2 + length
    if (next > jpeg.length) return null
    if (marker === app1 && isExif(jpeg, at + 4)) return jpeg.slice(at, next)
    at = next
  }
  return null
}

/** "Exif" and two zeros. */
const isExif = (b: Uint8Array, at: number) => [0x45, 0x78, 0x69, 0x66, 0, 0].every((v, i) => b[at + i] === v)

/** A segment that says the picture stands upright, as it does once it was drawn. What cannot be read stays as it is. */
export function upright(segment: Uint8Array): Uint8Array {
  const out = segment.slice()
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength)
  const tiff = 10 // after marker, length and "Exif"
  if (out.length < tiff + 8) return out
  const order = view.getUint16(tiff)
  if (order !== 0x4949 && order !== 0x4d4d) return out
  const little = order === 0x4949
  const ifd = tiff + view.getUint32(tiff + 4, little)
  if (ifd < tiff || ifd + 2 > out.length) return out
  const entries = view.getUint16(ifd, little)
  for (let i = 0; i < entries; i++) {
    const entry = ifd + 2 + 12 * i
    if (entry + 12 > out.length) return out
    if (view.getUint16(entry, little) === orientationTag) view.setUint16(entry + 8, 1, little)
  }
  return out
}

/** A JPEG with the segment in front of all others. */
export function withExif(jpeg: Uint8Array, segment: Uint8Array): Uint8Array<ArrayBuffer> {
  if (segment.length > longest + 2 || jpeg[0] !== 0xff || jpeg[1] !== 0xd8) return jpeg.slice()
  const out = new Uint8Array(jpeg.length + segment.length)
  out.set(jpeg.subarray(0, 2))
  out.set(segment, 2)
  out.set(jpeg.subarray(2), 2 + segment.length)
  return out
}
