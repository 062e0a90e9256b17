import { describe, expect, test } from 'vitest'
import { exifOf, upright, withExif } from './exif'

/** An Exif segment with an orientation and the model of a camera, in either order of bytes. */
function segment(little: boolean, orientation: number): number[] {
  const u16 = (v: number) => (little ? [v & 255, v >> 8] : [v >> 8, v & 255])
  const u32 = (v: number) => (little ? [...u16(v & 65535), ...u16(v >>> 16)] : [...u16(v >>> 16), ...u16(v & 65535)])
  const entry = (tag: number, type: number, n: number, value: number[]) => [
    ...u16(tag),
    ...u16(type),
    ...u32(n),
    ...value,
  ]
  const tiff = [
    ...(little ? [0x49, 0x49] : [0x4d, 0x4d]),
    ...u16(42),
    ...u32(8),
    ...u16(2),
    ...entry(0x0110, 2, 4, [65, 66, 67, 0]),
    ...entry(0x0112, 3, 1, [...u16(orientation), 0, 0]),
    ...u32(0),
  ]
  const body = [0x45, 0x78, 0x69, 0x66, 0, 0, ...tiff]
  return [0xff, 0xe1, (body.length + 2) >> 8, (body.length + 2) & 255, ...body]
}
const jpeg = (...segments: number[][]) =>
  Uint8Array.from([0xff, 0xd8, ...segments.flat(), 0xff, 0xda, 0, 2, 1, 2, 3, 0xff, 0xd9])
const jfif = [0xff, 0xe0, 0, 4, 74, 70]

describe('exif', () => {
  test.each([true, false])('is found behind other segments, and says upright; bytes in little order: %s', little => {
    const found = exifOf(jpeg(jfif, segment(little, 6)))!
    expect([...found]).toEqual(segment(little, 6))
    expect([...upright(found)]).toEqual(segment(little, 1))
    expect([...found]).toEqual(segment(little, 6)) // the one that was given stays
  })

  test('is put in front, and the rest stays as it was', () => {
    const out = withExif(jpeg(jfif), Uint8Array.from(segment(true, 1)))
    expect([...out]).toEqual([...jpeg(segment(true, 1), jfif)])
    expect([...exifOf(out)!]).toEqual(segment(true, 1))
  })

  test.each([
    ['nothing', []],
    ['no JPEG', [0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 0]],
    ['a JPEG without one', [...jpeg(jfif)]],
    ['a segment that goes beyond the end', [0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff, 0x45, 0x78]],
    ['a length of nothing', [0xff, 0xd8, 0xff, 0xe1, 0, 0, 0x45, 0x78, 0x69, 0x66, 0, 0]],
    ['what stands behind the picture', [0xff, 0xd8, 0xff, 0xda, 0, 2, ...segment(true, 6)]],
  ])('of %s there is none', (_, bytes) => {
    expect(exifOf(Uint8Array.from(bytes))).toBeNull()
  })

  test('whatever is cut off or turned over, nothing breaks', () => {
    const whole = segment(false, 6)
    for (let n = 0; n < whole.length; n++) upright(Uint8Array.from(whole.slice(0, n)))
    for (let i = 0; i < whole.length; i++) for (const v of [0, 1, 127, 255]) upright(Uint8Array.from(whole.with(i, v)))
  })
})
