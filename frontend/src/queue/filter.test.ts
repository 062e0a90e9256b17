import { describe, expect, it } from 'vitest'
import { everything, formatPlace, ofView, parsePlace, same, toView } from './filter'

describe('the queue’s address', () => {
  it('says what is shown, and reads what it says', () => {
    const place = {
      filter: {
        states: ['reported', 'filed'] as const,
        colours: ['red'] as const,
        items: ['02', '12'],
        units: [3, 7],
        towns: ['330481100'],
        due: 'today' as const,
        mine: true,
        sort: 'opened' as const,
        order: 'desc' as const,
      },
      open: '12-2',
      map: false,
    }
    const query = Object.fromEntries(Object.entries(formatPlace(place as never)).map(([k, v]) => [k, String(v)]))
    expect(parsePlace(query)).toEqual(place)
    expect(formatPlace({ filter: everything, open: null, map: true })).toEqual({})
  })

  it('is read whatever it says', () => {
    const odd = {
      state: 'closed,nonsense',
      colour: 'blue',
      unit: '-1,x,1e99',
      due: '',
      case: '0-1',
      order: 'up',
      map: '',
    }
    expect(parsePlace(odd)).toEqual({ filter: everything, open: null, map: true })
    expect(parsePlace({ state: null, case: ['5', '6'] })).toEqual({ filter: everything, open: '5', map: true })
  })

  it('is the same in a view that is kept', () => {
    const filter = { ...everything, states: ['returned' as const], mine: true, order: 'desc' as const }
    expect(same(ofView(toView(filter)), filter)).toBe(true)
    expect(same(filter, everything)).toBe(false)
    expect(toView(everything)).toEqual({})
  })
})
