import type { Messages } from './messages.ts';

// A particle depends on the sound before it (이/가, 을/를), and no one knows how a name sounds: each placeholder is followed by a noun of ours.
export const korean: Messages = {
  unnamedClient: '이름 없는 앱',
  opensInNewTab: '(새 탭에서 열림)',
  login: {
    title: '로그인',
    purpose: '{client} 앱을 계속 이용하려면 로그인해 주십시오.',
    username: '사용자 이름',
    password: '비밀번호',
    submit: '로그인',
    signedOut: '로그아웃되었습니다.',
    problemTitle: '오류',
    refused: '사용자 이름 또는 비밀번호가 올바르지 않습니다. 확인한 후 다시 시도해 주십시오.',
    throttled: '로그인 시도가 너무 많습니다. 잠시 후 다시 시도해 주십시오.',
    throttledFor: '로그인 시도가 너무 많습니다. {wait} 후에 다시 시도해 주십시오.',
    expired: '페이지를 연 지 오래되어 만료되었습니다. 다시 로그인해 주십시오.',
  },
  consent: {
    title: '접근 허용',
    heading: '{client} 앱이 회원님의 계정에 접근하려고 합니다',
    lead: '허용하면 이 앱은 다음과 같은 일을 할 수 있습니다.',
    noScopes: '이 앱은 특정 권한을 요청하지 않습니다.',
    scopes: {
      openid: '다시 방문한 회원님 알아보기',
      profile: '이름을 비롯한 프로필 정보 보기',
      email: '이메일 주소 보기',
      address: '우편 주소 보기',
      phone: '전화번호 보기',
      offline_access: '회원님이 이용하지 않는 동안에도 접근 유지하기',
    },
    otherScope: '{scope} 권한 사용하기',
    account: '로그인한 계정',
    redirect: '이동할 곳',
    resources: '접근 대상',
    links: '앱에서 제공한 정보',
    website: '웹사이트',
    privacyPolicy: '개인정보 처리방침',
    termsOfService: '이용약관',
    caution: '본인이 직접 시작한 요청일 때만 허용해 주십시오.',
    remembered: '한 번 허용하면 같은 권한은 다시 묻지 않습니다.',
    allow: '허용',
    deny: '거부',
    notYou: '본인의 계정이 아닙니까?',
    switchAccount: '다른 계정 사용',
  },
  redirect: {
    thisDevice: '이 기기({host})',
    app: '{scheme} 앱',
  },
  signOut: {
    title: '로그아웃',
    heading: '로그아웃하시겠습니까?',
    requested: '{client} 앱에서 이 계정의 로그아웃을 요청했습니다.',
    account: '{username} 계정으로 로그인되어 있습니다.',
    submit: '로그아웃',
    stay: '로그인 상태를 유지하려면 이 페이지를 닫아 주십시오.',
    doneTitle: '로그아웃되었습니다',
    done: '이제 이 페이지를 닫아도 됩니다.',
    otherApplications: '이용하던 앱에는 로그인 상태가 남아 있을 수 있으니 필요하면 앱에서도 로그아웃해 주십시오.',
  },
  formPost: {
    title: '계속',
    heading: '앱으로 돌아가는 중입니다',
    advice: '잠시 후 앱으로 이동합니다. 이동하지 않으면 직접 계속해 주십시오.',
    submit: '계속',
  },
  error: {
    situations: {
      request: {
        title: '요청을 처리할 수 없습니다',
        advice:
          '앱에서 보낸 요청이 올바르지 않습니다. 앱으로 돌아가 처음부터 다시 시작해 주십시오. 문제가 계속되면 앱 개발자에게 알려 주십시오.',
      },
      expired: {
        title: '만료된 페이지입니다',
        advice: '페이지를 연 지 오래되었거나 이미 사용한 페이지입니다. 앱으로 돌아가 다시 시작해 주십시오.',
      },
      notFound: {
        title: '페이지를 찾을 수 없습니다',
        advice: '주소를 확인하거나 이용하던 앱으로 돌아가 주십시오.',
      },
      throttled: {
        title: '요청이 너무 많습니다',
        advice: '잠시 후 다시 시도해 주십시오.',
      },
      unavailable: {
        title: '지금은 이용할 수 없습니다',
        advice: '현재 서비스가 응답할 수 없습니다. 잠시 후 다시 시도해 주십시오.',
      },
      failure: {
        title: '문제가 발생했습니다',
        advice: '서버에서 문제가 발생했습니다. 다시 시도해 주십시오. 문제가 계속되면 아래의 요청 번호를 알려 주십시오.',
      },
    },
    details: '자세한 정보',
    code: '오류 코드',
    description: '이유',
    requestId: '요청 번호',
  },
};
