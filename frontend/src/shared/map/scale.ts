/** The longest round length (1, 2 or 5 times a power of ten) that fits into so many pixels, in metres. */
export function scaleLength(metresPerPixel: number, roomPx: number): number {
  const room = roomPx * metresPerPixel
  const power = 10 ** Math.floor(Math.log10(room))
  return [5, 2, 1].map(f => f * power).find(v => v <= room) ?? power
}

/** How many decimals of a degree a pixel is worth: no fewer than 3, no more than 7 (1 cm). */
export function degreeDigits(metresPerPixel: number): number {
  return Math.min(7, Math.max(3, Math.ceil(-Math.log10(metresPerPixel / 111_320))))
}
