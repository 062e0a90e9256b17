/** How large a poster is printed so that all of it fits on one sheet of A3: the first of these that does. */
export const sizes = ['large', 'middle', 'small', 'dense'] as const
export type Size = (typeof sizes)[number]

interface Form {
  columns: number
  /** Half widths of a line of a name, and of the lines below it. */
  name: number
  text: number
  /** Heights in millimetres: of such lines, of an item's space, of an aspect's heading with its space. */
  nameMm: number
  textMm: number
  itemMm: number
  headMm: number
}
// Measured from the page's print rules (PosterPage.vue); a browser test prints the sixteen items in both languages.
const forms: Record<Size, Form> = {
  large: { columns: 2, name: 38, text: 53, nameMm: 8.2, textMm: 7, itemMm: 5.2, headMm: 18.5 },
  middle: { columns: 2, name: 43, text: 60, nameMm: 7.2, textMm: 6.1, itemMm: 4, headMm: 16 },
  small: { columns: 2, name: 52, text: 69, nameMm: 6.2, textMm: 5.3, itemMm: 2.8, headMm: 14 },
  dense: { columns: 3, name: 40, text: 52, nameMm: 4.8, textMm: 4, itemMm: 1.5, headMm: 11 },
}
const heightMm = 280

/** A text's width in halves of a Chinese character. */
function halves(s: string): number {
  let n = 0
  for (const c of s) n += (c.codePointAt(0) ?? 0) > 0x2e7f ? 2 : 1.05
  return n
}
const lines = (s: string, width: number) => Math.max(1, Math.ceil(halves(s) / width))

export interface PosterItem {
  name: string
  who: string
  time: string
}

export function fitting(aspects: readonly (readonly PosterItem[])[]): Size {
  for (const size of sizes) {
    const f = forms[size]
    let mm = 0
    for (const items of aspects) {
      mm += f.headMm
      for (const i of items)
        mm +=
          f.itemMm +
          f.nameMm * lines(`00 ${i.name}`, f.name) +
          f.textMm * ((i.who ? lines(i.who, f.text) : 0) + lines(i.time, f.text))
    }
    // Columns break between items, so one of them is a little longer than the others.
    if (mm / f.columns + 12 <= heightMm) return size
  }
  return 'dense'
}
