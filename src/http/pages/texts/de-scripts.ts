import type { Texts } from './en.ts';

/** Labels of the order button, which a page and its script set. */
export const germanButtons: Texts['order']['buttons'] = {
  order: 'Bestellen',
  joinQueue: 'In die Warteschlange',
  soldOut: 'Ausverkauft',
  closed: 'Verkauf beendet',
  paused: 'Unterbrochen',
};

/** The German texts of the scripts in `public/`. */
export const germanScripts: Texts['scripts'] = {
  locale: 'de',
  page: {
    askAgain: 'Keine Antwort. Noch einmal',
    mayAskAgain: 'Es gibt noch keine Antwort. Sie können den Knopf noch einmal drücken: Es zählt nur einmal.',
    copied: 'Kopiert',
    notCopied: 'Nicht kopiert',
    couldNotCopy: 'Das Kopieren hat nicht geklappt',
    days: '{days} Tg. {time}',
  },
  live: {
    live: 'Live',
    reconnecting: 'Verbinde neu',
    asOf: 'Stand: {time}',
  },
  order: {
    ...germanButtons,
    opens: 'Ab {moment}',
    opensIn: 'Beginnt in {countdown}',
  },
  result: {
    position: 'Sie sind Nummer {position} in der Warteschlange.',
    lastMinute: 'Noch eine Minute zum Bezahlen.',
  },
  dialog: {
    countsOnce: 'Ihre Bestellung zählt nur einmal, egal wie oft sie gesendet wird.',
    offline: 'Sie sind offline',
    offlineText: 'Ihre Bestellung wird gesendet, sobald die Verbindung wieder da ist.',
    sending: 'Ihre Bestellung wird gesendet …',
    noAnswer: 'Noch keine Antwort',
    noAnswerText: 'Wir erreichen den Shop im Moment nicht. Wir versuchen es weiter.',
    wait: 'Bitte warten',
    sentAgainIn: 'Wir senden Ihre Bestellung in {wait} noch einmal.',
    orderAgainIn: 'Sie können in {wait} wieder bestellen.',
    notTaken: 'Ihre Bestellung wurde nicht angenommen',
    mayHaveArrived: 'Sehen Sie unter „Meine Bestellungen“ nach, ob Ihre Bestellung angekommen ist.',
    nothingBooked: 'Es wurde nichts gebucht.',
    looking: 'Wir suchen Ihre Bestellung …',
    lookingText: 'Sie haben eine Bestellung gesendet, und die Antwort ist nicht angekommen.',
    lookingOffline: 'Sie sind offline. Wir suchen sie, sobald die Verbindung wieder da ist.',
    notSent: 'Ihre Bestellung wurde nicht gesendet',
    notArrived: 'Ihre Bestellung ist nicht bei uns angekommen',
    trip: '{trip}, für {email}.',
    sendNow: 'Sie können sie jetzt senden.',
    sendAgain: 'Sie können sie noch einmal senden.',
  },
  purchase: {
    close: 'Schließen',
    tryNow: 'Jetzt versuchen',
    sendNow: 'Jetzt senden',
    sendAgain: 'Noch einmal senden',
    doNotSend: 'Nicht senden',
    stopTrying: 'Nicht weiter versuchen',
    notTaken: 'Ihre Bestellung wurde nicht angenommen. Es wurde nichts gebucht.',
    notSent: 'Ihre Bestellung wurde nicht gesendet.',
  },
};
