import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { everywhere, heads, leads, sharesWith } from './whose'

const area = (level: 'city' | 'town') => ({ level, code: '1', name: 'x' })

describe('views of the queue for others', () => {
  it('are kept by those by whom the table of rights says', () => {
    const table = readFileSync(join(import.meta.dirname, '../../../docs/rights.md'), 'utf8')
    const rows = [...table.matchAll(/^\| `queue\.share` \| (\w[^|]*) \| ([\w, ]+) \| \w/gm)]
    expect(rows.map(([, reach, roles]) => [reach, roles!.split(', ')])).toEqual([
      ["led or supported by the post's unit", leads],
      ["in the post's jurisdiction and below", heads],
      ['everywhere', everywhere],
    ])
  })

  it('are for a unit by who leads it, and for all by who heads the city’s centre', () => {
    expect(sharesWith([{ role: 'desk', unit: 1, area: area('city') }])).toEqual({ city: false, units: [] })
    expect(
      sharesWith([
        { role: 'unit_head', unit: 3, area: area('town') },
        { role: 'duty_leader', unit: 3 },
        { role: 'officer', unit: 4 },
      ]),
    ).toEqual({ city: false, units: [3] })
    expect(sharesWith([{ role: 'centre_head', unit: 1, area: area('city') }])).toEqual({ city: true, units: [] })
    expect(sharesWith([{ role: 'centre_head', unit: 2, area: area('town') }])).toEqual({ city: false, units: [] })
    expect(sharesWith([{ role: 'administrator', area: area('city') }])).toEqual({ city: true, units: [] })
  })
})
