import type { Palette } from '../shared/theme/tokens'

/** What stands around a map that is taken away as a picture. */
export interface Around {
  title: string
  lines: string[]
  legend: { colour: string; text: string }[]
  /** Who made the data, and that it is made up where it is. */
  foot: string
}

/** The map as a page of its own: with its title, what was asked, its colours and its credits. */
export function pageOf(map: HTMLCanvasElement, palette: Palette, around: Around): HTMLCanvasElement {
  const scale = Math.max(1, map.width / 1200)
  const px = (n: number) => Math.round(n * scale)
  const page = document.createElement('canvas')
  const [head, foot] = [px(56 + 20 * around.lines.length), px(64)]
  page.width = map.width
  page.height = map.height + head + foot
  const pen = page.getContext('2d')
  if (!pen) throw new Error('there is nothing to draw with')
  const font = (size: number, weight = 400) => {
    pen.font = `${weight} ${px(size)}px "PingFang SC", "Microsoft YaHei", "Noto Sans SC", "WenQuanYi Micro Hei", system-ui, sans-serif`
  }
  pen.fillStyle = palette.surface
  pen.fillRect(0, 0, page.width, page.height)
  pen.textBaseline = 'middle'
  pen.fillStyle = palette.ink
  font(20, 600)
  pen.fillText(around.title, px(20), px(30))
  font(14)
  around.lines.forEach((line, i) => {
    pen.fillText(line, px(20), px(58 + 20 * i), page.width - px(40))
  })
  pen.drawImage(map, 0, head)
  let x = px(20)
  const y = head + map.height + px(20)
  font(13)
  for (const row of around.legend) {
    pen.fillStyle = row.colour
    pen.fillRect(x, y - px(6), px(14), px(12))
    pen.fillStyle = palette.ink
    pen.fillText(row.text, x + px(20), y)
    x += px(44) + pen.measureText(row.text).width
  }
  font(11)
  pen.fillStyle = palette.muted
  pen.fillText(around.foot, px(20), head + map.height + px(46), page.width - px(40))
  return page
}
