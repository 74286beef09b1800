import type { Messages } from './messages.ts';

export const english: Messages = {
  unnamedClient: 'An unnamed application',
  opensInNewTab: '(opens in a new tab)',
  login: {
    title: 'Sign in',
    purpose: 'to continue to {client}',
    username: 'Username',
    password: 'Password',
    submit: 'Sign in',
    signedOut: 'You are signed out.',
    problemTitle: 'Problem',
    refused: 'The username or the password is not right. Check both and try again.',
    throttled: 'Too many attempts. Wait a little before you try again.',
    throttledFor: 'Too many attempts. Try again in {wait}.',
    expired: 'This page was open for too long. Please sign in again.',
  },
  consent: {
    title: 'Allow access',
    heading: '{client} asks for access to your account',
    lead: 'If you allow it, this application can:',
    noScopes: 'It asks for no particular permission.',
    scopes: {
      openid: 'Recognize you when you come back',
      profile: 'See your name and the rest of your profile',
      email: 'See your email address',
      address: 'See your postal address',
      phone: 'See your phone number',
      offline_access: 'Keep this access while you are away',
    },
    otherScope: 'Use the permission {scope}',
    account: 'Signed in as',
    redirect: 'Sends you to',
    resources: 'Access to',
    links: 'From the application',
    website: 'Website',
    privacyPolicy: 'Privacy policy',
    termsOfService: 'Terms of service',
    caution: 'Allow this only if you started it yourself.',
    remembered: 'Once allowed, the same access is not asked for again.',
    allow: 'Allow',
    deny: 'Deny',
    notYou: 'Not you?',
    switchAccount: 'Use another account',
  },
  redirect: {
    thisDevice: 'this device ({host})',
    app: 'the app {scheme}',
  },
  signOut: {
    title: 'Sign out',
    heading: 'Sign out?',
    account: 'You are signed in as {username}.',
    submit: 'Sign out',
    stay: 'To stay signed in, close this page.',
    doneTitle: 'You are signed out',
    done: 'You can close this page.',
    otherApplications: 'Applications you used may keep you signed in until you sign out there, too.',
  },
  error: {
    situations: {
      request: {
        title: 'This request could not be completed',
        advice:
          'The application sent you here with a request that is not valid. Go back to it and start again; if that does not help, tell its developers.',
      },
      expired: {
        title: 'This page has expired',
        advice: 'It was open for too long, or was already used. Go back to the application and start again.',
      },
      notFound: {
        title: 'Page not found',
        advice: 'Check the address, or go back to the application you came from.',
      },
      throttled: {
        title: 'Too many requests',
        advice: 'Wait a little, then try again.',
      },
      unavailable: {
        title: 'Not available right now',
        advice: 'The service cannot answer at the moment. Please try again shortly.',
      },
      failure: {
        title: 'Something went wrong',
        advice: 'The fault is on our side. Please try again; if it happens again, report the request number below.',
      },
    },
    details: 'Details',
    code: 'Error',
    description: 'Reason',
    requestId: 'Request',
  },
};
