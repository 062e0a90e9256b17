/** Words that the phone app has too. */
export default {
  demo: { mark: 'demo', hint: 'The borders and reports of this city are generated, not real' },
  level: { city: 'City', town: 'Town', village: 'Village', grid: 'Grid', microgrid: 'Microgrid' },
  kind: { problem: 'Problem', inquiry: 'Inquiry', conflict: 'Conflict', none: 'No kind' },
  unit: { m: '{n} m', km: '{n} km', m2: '{n} m²', km2: '{n} km²', households: '{n}', people: '{n}' },
  voice: {
    note: 'Voice note',
    play: 'Play the voice note',
    pause: 'Pause',
    place: 'Place in the voice note',
    at: '{at} of {of}',
    lost: 'It cannot be played now: there is no network, or you may not hear it any more. Try again later.',
  },
}
