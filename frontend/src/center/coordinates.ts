export interface Typed {
  lon: number
  lat: number
  /** The numbers stood the other way round and only make sense as latitude, longitude. */
  swapped: boolean
}

/**
 * Reads "longitude, latitude" as people paste it: decimal degrees with a comma (also the Chinese one), semicolon or space
 * between. Where only the other order can be meant, because the second number is no latitude, it is read that way. Null
 * for anything else.
 */
export function typedPoint(text: string): Typed | null {
  const m = /^\s*([+-]?\d{1,3}(?:\.\d+)?)°?\s*[,，;；\s]\s*([+-]?\d{1,3}(?:\.\d+)?)°?\s*$/.exec(text)
  if (!m) return null
  const [a, b] = [Number(m[1]), Number(m[2])]
  if (Math.abs(a) <= 180 && Math.abs(b) <= 90) return { lon: a, lat: b, swapped: false }
  if (Math.abs(b) <= 180 && Math.abs(a) <= 90) return { lon: b, lat: a, swapped: true }
  return null
}
