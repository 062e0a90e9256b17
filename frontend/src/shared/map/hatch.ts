/** A tile of slanted lines in a colour such as #1A2430, to lie over an area: how maps say that little stands behind it. */
export function hatchOf(colour: string): { width: number; height: number; data: Uint8Array } {
  const side = 16
  const data = new Uint8Array(side * side * 4)
  const [r, g, b] = [1, 3, 5].map(i => Number.parseInt(colour.slice(i, i + 2), 16)) as [number, number, number]
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      if ((x + y) % 8 < 2) data.set([r, g, b, 255], (y * side + x) * 4)
    }
  }
  return { width: side, height: side, data }
}
