import type { CalendarTexts } from '../../../calendar/order-calendar.ts';
import { type ErrorCode, errorCatalogue } from '../../../domain/errors.ts';
import type { TimelineEvent } from '../../../domain/order.ts';
import type { PaymentStatus } from '../../../suppliers/suppliers.ts';
import { formatsOf } from '../format.ts';
import { type Html, markup } from '../markup.ts';
import { englishMails } from './en-mails.ts';
import { englishButtons, englishScripts } from './en-scripts.ts';
import type { Language } from './languages.ts';
import type { SearchTexts } from './search-texts.ts';

/*
 * The English texts of the customers' pages and mails. The catalogues of the other languages have the type of this one. A text with
 * values is a function of them.
 */

const formats = formatsOf({ numbers: 'en', dates: 'en-GB' });
const { count, plural, quantity } = formats;

/** The errors in words come from the error catalogue. */
const errors = Object.fromEntries(
  Object.entries(errorCatalogue).map(([code, { words }]) => [code, words]),
) as Record<ErrorCode, string>;

/** The texts of a search for nouns such as `trip` and `trips`. The operators' pages search for packages. */
export function englishSearch(one: string, many: string): SearchTexts {
  const total = (items: number) => quantity(items, { one, other: many });
  return {
    label: `Find ${many}`,
    flight: 'Flight',
    night: 'Night',
    submit: 'Search',
    all: `Show all ${many}`,
    none: `No ${one} matches.`,
    total,
    found: (items) => `${total(items)} found`,
    range: (from, to, all) => `${count(from)}–${count(to)} of ${all}`,
    pages: 'Pages',
    previous: 'Previous',
    next: 'Next',
    page: (page, last) => `Page ${count(page)} of ${count(last)}`,
  };
}

const events: Record<TimelineEvent, string> = {
  queued: 'You joined the queue.',
  claimed: 'A place was held for you.',
  'flight reserved': 'The airline reserved your seat.',
  'flight refused': 'The airline had no seat.',
  'flight unknown': 'The airline did not answer.',
  'hotel reserved': 'The hotel reserved your room.',
  'hotel refused': 'The hotel had no room.',
  'hotel unknown': 'The hotel did not answer.',
  'payment due': 'We asked you to pay.',
  'payment refused': 'The payment provider did not accept the payment.',
  'payment unknown': 'The payment provider did not answer.',
  paid: 'You paid.',
  'payment declined': 'Your payment was declined.',
  'payment expired': 'The time to pay was over.',
  'payment cancelled': 'Your payment was cancelled or refunded.',
  confirmed: 'Your trip was confirmed.',
  compensating: 'We started to give back what was reserved.',
  'cancel requested': 'You asked us to cancel the trip.',
  'flight cancelled': 'Your seat was given back.',
  'hotel cancelled': 'Your room was given back.',
  released: 'The place became free for others.',
  failed: 'The order ended without a booking.',
  cancelled: 'The trip was cancelled.',
  withdrawn: 'You left the queue.',
  'sold out': 'The last place was sold.',
};

const calendar: CalendarTexts = {
  fileName: (day) => `trip-${day}`,
  flight: (flight) => `Flight: ${flight}`,
  ticket: (ticketNumber) => `Flight ticket: ${ticketNumber}`,
  noTime: 'This entry does not know the time of the flight; the airline does.',
  night: 'Night at the hotel',
  reservation: (reservationNumber) => `Hotel reservation: ${reservationNumber}`,
};

const placingOrder = 'Placing your order…';

export const en = {
  language: 'en' as Language,
  formats,
  errors,
  search: englishSearch('trip', 'trips'),
  layout: {
    brand: 'Ticket Booking',
    skip: 'Skip to the content',
    menu: 'Main',
    order: 'Order',
    orders: 'My orders',
    myOrders: 'My orders',
    languages: 'Language',
    asOf: (time: Html) => markup`As of ${time}`,
  },
  order: {
    title: 'Order a trip',
    titleWithError: 'Please check · Order a trip',
    heading: 'Choose your trip',
    modes: 'How to order',
    wait: 'Wait here',
    waitText: 'Wait a few seconds, and the next page shows whether your trip is booked.',
    queue: 'Take a number',
    queueText: 'Get your order number at once, and follow your order live.',
    modesText: 'First come, first served. If there is a queue, you see your position in it.',
    chooseTrip: 'Choose a trip first: pick one of the nights below.',
    emailProblems: {
      invalid: 'Enter an email address, for example ana@example.com.',
      tooLong: 'Enter an email address with at most 254 characters.',
      localTooLong: 'Enter an email address with at most 64 characters before the @.',
      labelTooLong: 'Enter an email address whose domain has at most 63 characters between two dots.',
    },
    againIn: (wait: string) => `You can order again in ${wait}.`,
    stillOnSale: 'Still on sale:',
    trips: 'Trips',
    noneFound: 'Try a part of the flight’s name, or another night.',
    nights: (nights: number) => `${count(nights)} nights to choose from`,
    nightOf: (flight: Html) => markup`${flight}, night of `,
    email: 'Your email',
    emailNote: ({ takesPayments, sendsMails }: { takesPayments: boolean; sendsMails: boolean }) =>
      `Needed, with the order number, to find your order again. ${sendsMails ? 'You get a mail about its outcome' : 'No email is sent'}, and ${takesPayments ? 'you pay only once your trip is reserved' : 'no payment is taken'}.`,
    noChoice: 'No trip chosen yet',
    choiceMarked: 'Your trip is marked above, with its price',
    placingOrder,
    buttons: englishButtons,
    notOpen: 'Not open yet',
  },
  stay: {
    placesLeft: (places: number) => `${quantity(places, { one: 'place', other: 'places' })} left`,
    noneFree: 'No place free right now',
    queue: (waiting: number) => `Queue · ${count(waiting)} waiting`,
    opens: (moment: string) => `Opens ${moment}`,
    soldOut: 'Sold out',
    closed: 'Sale closed',
    paused: 'Paused',
    sold: (places: number) => `${count(places)} sold`,
    booking: (places: number) => `${count(places)} being booked`,
  },
  status: {
    queued: {
      title: 'In the queue',
      headline: 'Your position in the queue',
      next: 'On your turn we book at once, unless everything has been sold by then.',
    },
    askingAirline: {
      title: 'Booking',
      headline: 'Asking the airline…',
      text: 'We hold a place for you while we book. You will know in a few seconds.',
      next: 'If the airline has a seat, we ask the hotel for your room.',
    },
    askingHotel: {
      title: 'Booking',
      headline: 'Asking the hotel…',
      text: 'Your seat is reserved. Your room is next.',
      next: 'If the hotel has a room, your trip is booked.',
    },
    payable: {
      title: 'To be paid',
      headline: 'Pay to get your trip',
      text: 'Your seat and your room are reserved for you.',
      next: 'Once your payment arrives, your trip is booked; without it somebody else gets your place.',
    },
    confirmed: {
      title: 'Booked',
      headline: 'Your trip is booked',
      text: (night: string, isPaid: boolean) =>
        `Your seat and your room for the night of ${night} are reserved. ${isPaid ? 'It is paid.' : 'No payment is taken.'}`,
      next: 'On your trip you need the ticket and the reservation number below.',
    },
    cancelling: {
      title: 'Cancelling',
      headline: 'Cancelling your trip…',
      text: 'We are giving back your seat and your room.',
      next: 'As soon as both are given back, the trip is cancelled.',
    },
    cancelled: {
      title: 'Cancelled',
      headline: 'This trip is cancelled',
      text: (wasPaid: boolean) =>
        `Your seat and your room were given back. ${wasPaid ? 'Your payment is refunded.' : 'You have not been charged.'}`,
      next: 'This order has ended; you can order again while the trip is on sale.',
    },
    withdrawn: {
      title: 'Left the queue',
      headline: 'You left the queue',
      text: 'Nothing was booked. You have not been charged.',
      next: 'This order has ended; if you order again, you join the queue at its end.',
    },
    rejected: {
      title: 'Sold out',
      headline: 'Sold out before your turn',
      next: 'This order has ended; other trips may still be on sale.',
    },
    compensating: {
      title: 'Not booked',
      next: 'You need not wait for that: this order can no longer be booked.',
    },
    failed: {
      title: 'Not booked',
      next: 'This order has ended; you can try again while the trip is on sale.',
    },
    askingHotelFirst: 'If the hotel has a room, we ask you to pay.',
    paymentAbandoned:
      'You cancelled this order before you paid. If you paid nevertheless, your payment is refunded.',
    providerSilent: 'The payment provider did not answer. You have not been charged.',
    supplierSilent: 'The airline or the hotel did not answer. You have not been charged.',
    givingBack: 'We are giving back what was already reserved.',
  },
  queue: {
    title: (position: number) => `No. ${count(position)} in the queue`,
    ahead: (people: number) =>
      plural(people, {
        one: '1 person is ahead of you.',
        other: `${count(people)} people are ahead of you.`,
      }),
    booking: (places: number) =>
      plural(places, {
        one: '1 place is being booked.',
        other: `${count(places)} places are being booked.`,
      }),
    movingUp: 'You will move up as soon as a place comes free.',
    placesGoOn: 'If a booking fails, its place goes to the next in the queue.',
    yoursIfItFails: 'You get it if that booking fails.',
    firstIsYours: 'You get the first that comes free.',
    wait: 'Estimated wait:',
    waitUnknown: 'not known yet',
    waitUpTo: (max: string) => `up to ${max}`,
    waitBetween: (min: string, max: string) => `about ${min} to ${max}`,
  },
  result: {
    story: 'What happened',
    events,
    steps: {
      place: 'Place',
      flight: 'Flight',
      hotel: 'Hotel',
      held: 'held',
      reserved: 'reserved',
      asking: 'asking',
      next: 'next',
    },
    keepPosition: 'You can close this page; we keep your position.',
    carryOn: 'You can close this page; we carry on.',
    payNow: 'Pay now',
    payBy: (time: Html) => markup`Pay by ${time}`,
    timeOver: 'The time to pay is over. We are checking whether you have paid.',
    print: 'Print',
    bookAnother: 'Book another trip',
    findIt: 'How to find it again',
    tryAgain: 'Try again',
    orderAgain: 'Order again',
    placingOrder,
    otherTrips: 'Other trips',
    seeOtherTrips: 'See other trips',
    soldOutSince: 'This trip has sold out since.',
    notOnSale: 'This trip is not on sale right now.',
    leaving: {
      label: 'Leave the queue',
      effect: 'You give up your position. If you order again, you join the queue at its end.',
      yes: 'Yes, leave the queue',
      no: 'Keep my position',
    },
    notPaying: {
      label: 'Cancel this order',
      effect: 'Your seat and your room are given back at once, and somebody else may take them.',
      yes: 'Yes, cancel the order',
      no: 'Keep it',
    },
    cancelling: {
      label: 'Cancel this trip',
      effect:
        'Your seat and your room are given back at once, and somebody else may take them. This cannot be undone.',
      yes: 'Yes, cancel the trip',
      no: 'Keep it',
    },
    question: (label: string) => `${label}?`,
    oneMoment: 'One moment…',
  },
  facts: {
    orderNumber: 'Order number',
    flightTicket: 'Flight ticket',
    hotelReservation: 'Hotel reservation',
    night: 'Night',
    addToCalendar: 'Add to calendar',
    email: 'Email',
    ordered: 'Ordered',
    copy: 'Copy',
    copyLabel: (label: string) => `Copy ${label.toLowerCase()}`,
    none: 'None',
    notYet: 'Not yet',
    givenBack: 'Given back',
  },
  calendar,
  findAgain: {
    title: 'How to find this order again',
    listed: (myOrders: Html) =>
      markup`In this browser it is listed under ${myOrders}. Anywhere else you need its order number and your email;`,
    notListed: (myOrders: Html) => markup`Under ${myOrders} you need its order number and your email;`,
    sent: 'the mail about its outcome has the number and a link.',
    notSent: 'we do not send them to you.',
    privateLink:
      'Or keep this private link. Anyone who has it can see this order and your email, and do whatever you can do here.',
    copyNumber: 'Copy order number',
    copyLink: 'Copy private link',
  },
  query: {
    title: 'My orders',
    missTitle: 'Order not found',
    recent: 'Recent in this browser',
    none: (order: (label: string) => Html) =>
      markup`No orders in this browser yet. ${order('Order a trip')}, or look up an order below.`,
    lookUp: 'Look up an order',
    needed: 'You need the order number, shown on the order’s page, and the email that you ordered with.',
    number: 'Order number',
    numberNote: '16 letters and digits. Capitals, dashes and spaces do not matter.',
    email: 'Email',
    looking: 'Looking…',
    show: 'Show the order',
  },
  lostOrder: {
    looking: 'Looking for your order…',
    lookingText: 'We have not stored it yet. This page asks again by itself.',
    nothingSent:
      'If you sent an order and saw no answer: we have not received it so far. You can send it again.',
    anotherTitle: 'Buy another one?',
    hasPlace: 'You already have a place on this trip',
    hasOrdered: 'You already ordered this trip',
    another: (price: string) => `Buy another one for ${price}?`,
    no: 'No, show my order',
    yes: 'Yes, buy another',
    ordering: 'Ordering…',
  },
  problem: {
    failed: 'That did not work',
    wait: 'Please wait a moment',
    notFound: 'Page not found',
    reload: (wait: string) => `Reload this page in ${wait}. If you have sent an order, it counts only once.`,
    seeTrips: 'See the trips',
    backToTrips: 'Back to the trips',
    missTitle: 'Order not found',
    miss: 'We cannot show this order here',
    missText: 'Look it up with its order number and the email that you ordered with.',
    lookUp: 'Look up an order',
  },
  checkout: {
    title: 'Simulated payment',
    noMoney: 'No real money is moved.',
    order: (key: string, amount: Html) => markup`Order ${key}: ${amount}.`,
    status: {
      due: 'This payment is due.',
      paid: 'This payment is paid.',
      declined: 'This payment was declined.',
      cancelled: 'This payment was cancelled. If you pay nevertheless, you get the money back.',
      refunded: 'This payment was refunded.',
    } satisfies Record<PaymentStatus, string>,
    pay: 'Pay',
    decline: 'Decline',
    back: 'Go back',
    backUnpaid: 'Go back and do nothing',
  },
  mails: englishMails,
  scripts: englishScripts,
};

/** The type of every catalogue. */
export type Texts = typeof en;
