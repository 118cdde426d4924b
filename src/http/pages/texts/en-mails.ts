/** The English texts of the mails about an order. */
export const englishMails = {
  payable: {
    subject: 'Please pay for your trip',
    text: (amount: string, time: string) =>
      `Your seat and your room are reserved for you. Please pay ${amount} by ${time}.`,
    next: 'Once your payment arrives, your trip is booked. Without it somebody else gets your place.',
    link: 'Open your order and pay',
  },
  confirmed: {
    subject: 'Your trip is booked',
    text: (night: string) => `Your seat and your room for the night of ${night} are reserved.`,
    next: 'On your trip you need the ticket and the reservation number below.',
    calendar: 'The attached file adds the trip to your calendar.',
  },
  failed: {
    subject: 'Your trip was not booked',
    next: 'This order has ended. Other trips may still be on sale.',
  },
  cancelled: {
    subject: 'Your trip is cancelled',
    text: 'Your seat and your room were given back.',
    next: 'This order has ended.',
  },
  refunded: {
    subject: 'Your payment is refunded',
    text: (amount: string) => `The payment provider has refunded ${amount}.`,
    next: 'It may take some days until your bank shows it.',
  },
  flight: 'Flight',
  price: 'Price',
  link: 'Open your order',
  linkNote: 'This link is private. Anyone who has it can see this order and your email, and cancel the trip.',
  footer: 'You get this mail because somebody ordered a trip with this email. Please do not reply to it.',
};
