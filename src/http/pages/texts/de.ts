import { formatsOf } from '../format.ts';
import { markup } from '../markup.ts';
import { germanErrors } from './de-errors.ts';
import { germanMails } from './de-mails.ts';
import { germanButtons, germanScripts } from './de-scripts.ts';
import type { Texts } from './en.ts';

/* The German texts of the customers' pages and mails. */

const formats = formatsOf({ numbers: 'de', dates: 'de' });
const { count, plural, quantity } = formats;

const trips = (items: number) => quantity(items, { one: 'Reise', other: 'Reisen' });

const placingOrder = 'Bestellung läuft …';

export const de: Texts = {
  language: 'de',
  formats,
  errors: germanErrors,
  search: {
    label: 'Reisen suchen',
    flight: 'Flug',
    night: 'Nacht',
    submit: 'Suchen',
    all: 'Alle Reisen zeigen',
    none: 'Keine Reise gefunden.',
    total: trips,
    found: (items) => `${trips(items)} gefunden`,
    range: (from, to, all) => `${count(from)}–${count(to)} von ${all}`,
    pages: 'Seiten',
    previous: 'Zurück',
    next: 'Weiter',
    page: (page, last) => `Seite ${count(page)} von ${count(last)}`,
  },
  layout: {
    brand: 'Ticket Booking',
    skip: 'Zum Inhalt springen',
    menu: 'Hauptmenü',
    // Short, so that the menu fits beside the name on a phone.
    order: 'Reisen',
    orders: 'Bestellungen',
    myOrders: 'Meine Bestellungen',
    languages: 'Sprache',
    asOf: (time) => markup`Stand: ${time}`,
  },
  order: {
    title: 'Reise bestellen',
    titleWithError: 'Bitte prüfen · Reise bestellen',
    heading: 'Wählen Sie Ihre Reise',
    modes: 'So können Sie bestellen',
    wait: 'Hier warten',
    waitText: 'Warten Sie ein paar Sekunden; die nächste Seite zeigt, ob Ihre Reise gebucht ist.',
    queue: 'Nummer ziehen',
    queueText: 'Sie bekommen sofort Ihre Bestellnummer und verfolgen Ihre Bestellung live.',
    modesText: 'Es geht der Reihe nach. Wenn es eine Warteschlange gibt, sehen Sie Ihre Position darin.',
    chooseTrip: 'Wählen Sie zuerst eine Reise: eine der Nächte unten.',
    emailProblems: {
      invalid: 'Geben Sie eine E-Mail-Adresse ein, zum Beispiel ana@example.com.',
      tooLong: 'Geben Sie eine E-Mail-Adresse mit höchstens 254 Zeichen ein.',
      localTooLong: 'Geben Sie eine E-Mail-Adresse mit höchstens 64 Zeichen vor dem @ ein.',
      labelTooLong:
        'Geben Sie eine E-Mail-Adresse ein, deren Domain zwischen zwei Punkten höchstens 63 Zeichen hat.',
    },
    againIn: (wait) => `Sie können in ${wait} wieder bestellen.`,
    stillOnSale: 'Noch im Verkauf:',
    trips: 'Reisen',
    noneFound: 'Versuchen Sie es mit einem Teil des Flugnamens oder mit einer anderen Nacht.',
    nights: (nights) => `${quantity(nights, { one: 'Nacht', other: 'Nächte' })} zur Auswahl`,
    nightOf: (flight) => markup`${flight}, Nacht vom `,
    email: 'Ihre E-Mail-Adresse',
    emailNote: ({ takesPayments, sendsMails }) =>
      `Mit ihr und der Bestellnummer finden Sie Ihre Bestellung wieder. ${sendsMails ? 'Wie die Bestellung ausgeht, erfahren Sie per E-Mail' : 'Wir senden keine E-Mail'}, und ${takesPayments ? 'Sie bezahlen erst, wenn Ihre Reise reserviert ist' : 'es wird nichts abgebucht'}.`,
    noChoice: 'Noch keine Reise gewählt',
    choiceMarked: 'Ihre Reise ist oben markiert, mit ihrem Preis',
    placingOrder,
    buttons: germanButtons,
    notOpen: 'Noch nicht im Verkauf',
  },
  stay: {
    placesLeft: (places) => `Noch ${quantity(places, { one: 'Platz', other: 'Plätze' })}`,
    noneFree: 'Gerade kein Platz frei',
    queue: (waiting) => `Warteschlange: ${count(waiting)}`,
    opens: (moment) => `Ab ${moment}`,
    soldOut: 'Ausverkauft',
    closed: 'Verkauf beendet',
    paused: 'Verkauf unterbrochen',
    sold: (places) => `${count(places)} verkauft`,
    booking: (places) => `${count(places)} in Buchung`,
  },
  status: {
    queued: {
      title: 'In der Warteschlange',
      headline: 'Ihre Position in der Warteschlange',
      next: 'Sobald Sie an der Reihe sind, buchen wir sofort, sofern noch etwas frei ist.',
    },
    askingAirline: {
      title: 'Buchung läuft',
      headline: 'Anfrage an die Fluggesellschaft …',
      text: 'Während wir buchen, halten wir einen Platz für Sie frei. In wenigen Sekunden wissen Sie Bescheid.',
      next: 'Wenn die Fluggesellschaft einen Sitzplatz hat, fragen wir das Hotel nach Ihrem Zimmer.',
    },
    askingHotel: {
      title: 'Buchung läuft',
      headline: 'Anfrage an das Hotel …',
      text: 'Ihr Sitzplatz ist reserviert. Als Nächstes kommt Ihr Zimmer.',
      next: 'Wenn das Hotel ein Zimmer hat, ist Ihre Reise gebucht.',
    },
    payable: {
      title: 'Noch zu bezahlen',
      headline: 'Bezahlen Sie Ihre Reise',
      text: 'Ihr Sitzplatz und Ihr Zimmer sind für Sie reserviert.',
      next: 'Sobald Ihre Zahlung eingeht, ist Ihre Reise gebucht; ohne sie bekommt jemand anders Ihren Platz.',
    },
    confirmed: {
      title: 'Gebucht',
      headline: 'Ihre Reise ist gebucht',
      text: (night, isPaid) =>
        `Ihr Sitzplatz und Ihr Zimmer für die Nacht vom ${night} sind reserviert. ${isPaid ? 'Die Reise ist bezahlt.' : 'Es wird nichts abgebucht.'}`,
      next: 'Auf Ihrer Reise brauchen Sie die Ticket- und die Reservierungsnummer unten.',
    },
    cancelling: {
      title: 'Stornierung läuft',
      headline: 'Ihre Reise wird storniert …',
      text: 'Wir geben Ihren Sitzplatz und Ihr Zimmer zurück.',
      next: 'Sobald beides zurückgegeben ist, ist die Reise storniert.',
    },
    cancelled: {
      title: 'Storniert',
      headline: 'Diese Reise ist storniert',
      text: (wasPaid) =>
        `Ihr Sitzplatz und Ihr Zimmer wurden zurückgegeben. ${wasPaid ? 'Ihre Zahlung wird erstattet.' : 'Ihnen wurde nichts berechnet.'}`,
      next: 'Diese Bestellung ist beendet; Sie können noch einmal bestellen, solange die Reise im Verkauf ist.',
    },
    withdrawn: {
      title: 'Warteschlange verlassen',
      headline: 'Sie haben die Warteschlange verlassen',
      text: 'Es wurde nichts gebucht. Ihnen wurde nichts berechnet.',
      next: 'Diese Bestellung ist beendet; wenn Sie wieder bestellen, stellen Sie sich hinten an.',
    },
    rejected: {
      title: 'Ausverkauft',
      headline: 'Ausverkauft, bevor Sie an der Reihe waren',
      next: 'Diese Bestellung ist beendet; andere Reisen sind vielleicht noch im Verkauf.',
    },
    compensating: {
      title: 'Nicht gebucht',
      next: 'Darauf müssen Sie nicht warten: Diese Bestellung wird nicht mehr gebucht.',
    },
    failed: {
      title: 'Nicht gebucht',
      next: 'Diese Bestellung ist beendet; Sie können es noch einmal versuchen, solange die Reise im Verkauf ist.',
    },
    askingHotelFirst: 'Wenn das Hotel ein Zimmer hat, bitten wir Sie zu bezahlen.',
    paymentAbandoned:
      'Sie haben diese Bestellung vor dem Bezahlen storniert. Falls Sie trotzdem bezahlt haben, wird Ihre Zahlung erstattet.',
    providerSilent: 'Der Zahlungsanbieter hat nicht geantwortet. Ihnen wurde nichts berechnet.',
    supplierSilent:
      'Die Fluggesellschaft oder das Hotel hat nicht geantwortet. Ihnen wurde nichts berechnet.',
    givingBack: 'Wir geben zurück, was schon reserviert war.',
  },
  queue: {
    title: (position) => `Nummer ${count(position)} in der Warteschlange`,
    ahead: (people) =>
      plural(people, {
        one: '1 Person ist vor Ihnen.',
        other: `${count(people)} Personen sind vor Ihnen.`,
      }),
    booking: (places) =>
      plural(places, {
        one: '1 Platz wird gerade gebucht.',
        other: `${count(places)} Plätze werden gerade gebucht.`,
      }),
    movingUp: 'Sie rücken auf, sobald ein Platz frei wird.',
    placesGoOn: 'Wenn eine Buchung scheitert, geht ihr Platz an die nächste Person in der Warteschlange.',
    yoursIfItFails: 'Sie bekommen ihn, wenn diese Buchung scheitert.',
    firstIsYours: 'Sie bekommen den ersten, der frei wird.',
    wait: 'Geschätzte Wartezeit:',
    waitUnknown: 'noch nicht bekannt',
    waitUpTo: (max) => `bis zu ${max}`,
    waitBetween: (min, max) => `etwa ${min} bis ${max}`,
  },
  result: {
    story: 'Verlauf',
    events: {
      queued: 'Sie haben sich in die Warteschlange eingereiht.',
      claimed: 'Ein Platz wurde für Sie freigehalten.',
      'flight reserved': 'Die Fluggesellschaft hat Ihren Sitzplatz reserviert.',
      'flight refused': 'Die Fluggesellschaft hatte keinen Sitzplatz mehr.',
      'flight unknown': 'Die Fluggesellschaft hat nicht geantwortet.',
      'hotel reserved': 'Das Hotel hat Ihr Zimmer reserviert.',
      'hotel refused': 'Das Hotel hatte kein Zimmer mehr.',
      'hotel unknown': 'Das Hotel hat nicht geantwortet.',
      'payment due': 'Wir haben Sie gebeten zu bezahlen.',
      'payment refused': 'Der Zahlungsanbieter hat die Zahlung nicht angenommen.',
      'payment unknown': 'Der Zahlungsanbieter hat nicht geantwortet.',
      paid: 'Sie haben bezahlt.',
      'payment declined': 'Ihre Zahlung wurde abgelehnt.',
      'payment expired': 'Die Zeit zum Bezahlen war um.',
      'payment cancelled': 'Ihre Zahlung wurde abgebrochen oder erstattet.',
      confirmed: 'Ihre Reise wurde bestätigt.',
      compensating: 'Wir haben begonnen, das Reservierte zurückzugeben.',
      'cancel requested': 'Sie haben uns gebeten, die Reise zu stornieren.',
      'flight cancelled': 'Ihr Sitzplatz wurde zurückgegeben.',
      'hotel cancelled': 'Ihr Zimmer wurde zurückgegeben.',
      released: 'Der Platz wurde für andere frei.',
      failed: 'Die Bestellung endete ohne Buchung.',
      cancelled: 'Die Reise wurde storniert.',
      withdrawn: 'Sie haben die Warteschlange verlassen.',
      'sold out': 'Der letzte Platz wurde verkauft.',
    },
    steps: {
      place: 'Platz',
      flight: 'Flug',
      hotel: 'Hotel',
      held: 'gesichert',
      reserved: 'reserviert',
      asking: 'angefragt',
      next: 'danach',
    },
    keepPosition: 'Sie können diese Seite schließen; Ihre Position bleibt erhalten.',
    carryOn: 'Sie können diese Seite schließen; wir machen weiter.',
    payNow: 'Jetzt bezahlen',
    payBy: (time) => markup`Bezahlen Sie bis ${time}`,
    timeOver: 'Die Zeit zum Bezahlen ist um. Wir prüfen, ob Sie bezahlt haben.',
    print: 'Drucken',
    bookAnother: 'Weitere Reise buchen',
    findIt: 'So finden Sie sie wieder',
    tryAgain: 'Noch einmal versuchen',
    orderAgain: 'Noch einmal bestellen',
    placingOrder,
    otherTrips: 'Andere Reisen',
    seeOtherTrips: 'Andere Reisen ansehen',
    soldOutSince: 'Diese Reise ist inzwischen ausverkauft.',
    notOnSale: 'Diese Reise ist gerade nicht im Verkauf.',
    leaving: {
      label: 'Warteschlange verlassen',
      effect: 'Sie geben Ihre Position auf. Wenn Sie wieder bestellen, stellen Sie sich hinten an.',
      yes: 'Ja, Warteschlange verlassen',
      no: 'Position behalten',
    },
    notPaying: {
      label: 'Diese Bestellung stornieren',
      effect: 'Ihr Sitzplatz und Ihr Zimmer werden sofort zurückgegeben, und andere können sie bekommen.',
      yes: 'Ja, Bestellung stornieren',
      no: 'Bestellung behalten',
    },
    cancelling: {
      label: 'Diese Reise stornieren',
      effect:
        'Ihr Sitzplatz und Ihr Zimmer werden sofort zurückgegeben, und andere können sie bekommen. Das lässt sich nicht rückgängig machen.',
      yes: 'Ja, Reise stornieren',
      no: 'Reise behalten',
    },
    question: (label) => `${label}?`,
    oneMoment: 'Einen Moment …',
  },
  facts: {
    orderNumber: 'Bestellnummer',
    flightTicket: 'Flugticket',
    hotelReservation: 'Hotelreservierung',
    night: 'Nacht',
    addToCalendar: 'In den Kalender',
    email: 'E-Mail',
    ordered: 'Bestellt am',
    copy: 'Kopieren',
    copyLabel: (label) => `${label} kopieren`,
    none: 'Nicht vorhanden',
    notYet: 'Noch nicht vorhanden',
    givenBack: 'Zurückgegeben',
  },
  calendar: {
    fileName: (day) => `reise-${day}`,
    flight: (flight) => `Flug: ${flight}`,
    ticket: (ticketNumber) => `Flugticket: ${ticketNumber}`,
    noTime: 'Die Uhrzeit des Fluges steht hier nicht; Sie erfahren sie von der Fluggesellschaft.',
    night: 'Nacht im Hotel',
    reservation: (reservationNumber) => `Hotelreservierung: ${reservationNumber}`,
  },
  findAgain: {
    title: 'So finden Sie diese Bestellung wieder',
    listed: (myOrders) =>
      markup`In diesem Browser steht sie unter ${myOrders}. Anderswo brauchen Sie die Bestellnummer und Ihre E-Mail-Adresse;`,
    notListed: (myOrders) =>
      markup`Unter ${myOrders} brauchen Sie die Bestellnummer und Ihre E-Mail-Adresse;`,
    sent: 'die Nummer und einen Link finden Sie in der E-Mail, die wir Ihnen zum Ausgang der Bestellung senden.',
    notSent: 'wir senden sie Ihnen nicht zu.',
    privateLink:
      'Oder bewahren Sie diesen privaten Link auf. Wer ihn hat, sieht diese Bestellung und Ihre E-Mail-Adresse und kann alles tun, was Sie hier tun können.',
    copyNumber: 'Bestellnummer kopieren',
    copyLink: 'Privaten Link kopieren',
  },
  query: {
    title: 'Meine Bestellungen',
    missTitle: 'Bestellung nicht gefunden',
    recent: 'Zuletzt in diesem Browser',
    none: (order) =>
      markup`In diesem Browser gibt es noch keine Bestellungen. ${order('Bestellen Sie eine Reise')} oder suchen Sie unten eine Bestellung.`,
    lookUp: 'Bestellung suchen',
    needed:
      'Sie brauchen die Bestellnummer, die auf der Seite der Bestellung steht, und die E-Mail-Adresse, mit der Sie bestellt haben.',
    number: 'Bestellnummer',
    numberNote:
      '16 Buchstaben und Ziffern. Groß- und Kleinschreibung, Bindestriche und Leerzeichen spielen keine Rolle.',
    email: 'E-Mail-Adresse',
    looking: 'Suche läuft …',
    show: 'Bestellung zeigen',
  },
  lostOrder: {
    looking: 'Wir suchen Ihre Bestellung …',
    lookingText: 'Wir haben sie noch nicht gespeichert. Diese Seite fragt von selbst noch einmal nach.',
    nothingSent:
      'Falls Sie eine Bestellung abgeschickt und keine Antwort gesehen haben: Bei uns ist bisher keine angekommen. Sie können sie noch einmal abschicken.',
    anotherTitle: 'Noch eine Reise buchen?',
    hasPlace: 'Sie haben schon einen Platz auf dieser Reise',
    hasOrdered: 'Sie haben diese Reise schon bestellt',
    another: (price) => `Möchten Sie noch eine Reise für ${price} buchen?`,
    no: 'Nein, meine Bestellung zeigen',
    yes: 'Ja, noch eine buchen',
    ordering: 'Bestellung läuft …',
  },
  problem: {
    failed: 'Das hat nicht geklappt',
    wait: 'Bitte warten Sie einen Moment',
    notFound: 'Seite nicht gefunden',
    reload: (wait) =>
      `Laden Sie diese Seite in ${wait} neu. Falls Sie eine Bestellung abgeschickt haben, zählt sie nur einmal.`,
    seeTrips: 'Zu den Reisen',
    backToTrips: 'Zurück zu den Reisen',
    missTitle: 'Bestellung nicht gefunden',
    miss: 'Wir können diese Bestellung hier nicht zeigen',
    missText: 'Suchen Sie sie mit der Bestellnummer und der E-Mail-Adresse, mit der Sie bestellt haben.',
    lookUp: 'Bestellung suchen',
  },
  checkout: {
    title: 'Simulierte Zahlung',
    noMoney: 'Es fließt kein echtes Geld.',
    order: (key, amount) => markup`Bestellung ${key}: ${amount}.`,
    status: {
      due: 'Diese Zahlung ist noch offen.',
      paid: 'Diese Zahlung ist bezahlt.',
      declined: 'Diese Zahlung wurde abgelehnt.',
      cancelled: 'Diese Zahlung wurde abgebrochen. Wenn Sie trotzdem zahlen, bekommen Sie das Geld zurück.',
      refunded: 'Diese Zahlung wurde erstattet.',
    },
    pay: 'Bezahlen',
    decline: 'Ablehnen',
    back: 'Zurück',
    backUnpaid: 'Zurück, ohne zu bezahlen',
  },
  mails: germanMails,
  scripts: germanScripts,
};
