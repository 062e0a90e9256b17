import { describe, expect, it } from 'vitest'
import { asked, byNumber, everything, formatPlace, ofView, parsePlace, same, toView } from './filter'

describe('the queue’s address', () => {
  it('says what is shown, and reads what it says', () => {
    const place = {
      filter: {
        states: ['reported', 'filed'] as const,
        colours: ['red'] as const,
        aspects: ['env'],
        items: ['02', '12'],
        settled: ['committee', 'none'] as const,
        teams: [5],
        units: [3, 7],
        towns: ['330481100'],
        due: 'today' as const,
        mine: true,
        sort: 'opened' as const,
        order: 'desc' as const,
      },
      words: '围墙 a&b',
      open: '12-2',
      map: false,
    }
    const query = Object.fromEntries(Object.entries(formatPlace(place as never)).map(([k, v]) => [k, String(v)]))
    expect(parsePlace(query)).toEqual(place)
    expect(formatPlace({ filter: everything, words: '', open: null, map: true })).toEqual({})
  })

  it('is read whatever it says', () => {
    const odd = {
      state: 'closed,nonsense',
      colour: 'blue',
      unit: '-1,x,1e99',
      due: '',
      settled_by: 'me',
      team: '0,1.5',
      case: '0-1',
      order: 'up',
      map: '',
    }
    expect(parsePlace(odd)).toEqual({ filter: everything, words: '', open: null, map: true })
    expect(parsePlace({ state: null, case: ['5', '6'] })).toEqual({
      filter: everything,
      words: '',
      open: '5',
      map: true,
    })
  })

  it('asks for words, too, in the order that was chosen', () => {
    const place = { ...parsePlace({ q: ' 围墙 ', sort: 'opened', order: 'desc', state: 'filed' }) }
    expect(asked(place)).toEqual({ q: '围墙', state: 'filed', sort: 'opened', order: 'desc' })
    expect(byNumber(place)).toEqual({ q: '围墙', state: 'filed' }) // of a few by number the order is the page's own
    expect(asked({ ...place, words: '' })).toEqual({ state: 'filed', sort: 'opened', order: 'desc' })
    expect(parsePlace({ q: '长'.repeat(300) }).words).toHaveLength(200)
  })

  it('is the same in a view that is kept', () => {
    const filter = {
      ...everything,
      states: ['returned' as const],
      settled: ['none' as const],
      aspects: ['env'],
      teams: [4],
      mine: true,
      order: 'desc' as const,
    }
    expect(same(ofView(toView(filter)), filter)).toBe(true)
    expect(same(filter, everything)).toBe(false)
    expect(toView(everything)).toEqual({})
  })
})
