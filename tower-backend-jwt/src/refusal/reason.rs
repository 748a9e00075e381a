//! The reasons, and every fact about each of them.

use http::StatusCode;

/// The reason of a [`Refusal`](crate::Refusal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalReason {
    /// The request carries no access token.
    MissingCredentials,
    /// The credentials are not in the form RFC 6750 gives them, or there are two of them.
    MalformedRequest,
    /// The token is longer than is read.
    TokenTooLong,
    /// The token is not a JWS in compact form with a JSON object as its claims.
    MalformedToken,
    /// The header asks for something that is not implemented: `crit`, `zip`, `b64`.
    UnsupportedHeader,
    /// The token is of another kind, by its `typ` or by claims only another kind has.
    WrongType,
    /// The algorithm is not one the issuer may use; `none` and the HMACs never are.
    AlgorithmNotAllowed,
    /// No issuer of this name is trusted.
    UnknownIssuer,
    /// The issuer has no key of that `kid` for that algorithm.
    UnknownKey,
    /// The signature does not hold.
    InvalidSignature,
    /// A claim has a form it may not have.
    MalformedClaim,
    /// A claim that is required is absent.
    MissingClaim,
    /// The token is expired.
    Expired,
    /// The token was revoked: see [`Revocations`](crate::Revocations).
    Revoked,
    /// The token is not valid yet.
    NotYetValid,
    /// The token claims to be issued in the future.
    IssuedInFuture,
    /// The token is for another audience.
    WrongAudience,
    /// The token is bound to a key whose proof is not checked here (`cnf`).
    SenderConstrained,
    /// The token is a backend JWT of this very gateway.
    SelfIssued,
    /// A check of the user's own refused the token.
    Rejected,
    /// The token's scope is too small.
    InsufficientScope,
    /// A check of the user's own refused the request.
    Forbidden,
    /// The application is not subscribed to the API.
    NotSubscribed,
    /// The application's subscription is blocked.
    SubscriptionBlocked,
    /// What is asked about the application or the user does not answer.
    SourceUnavailable,
    /// Keys are not to be had: the issuer's to verify with, or ours to sign with.
    KeysUnavailable,
    /// No layer before this one validated a token.
    MissingAccessTokenLayer,
    /// No backend JWT policy was chosen for the request.
    MissingPolicy,
    /// The claims of the user's own cannot be put into the backend JWT.
    UnusableClaims,
    /// The backend JWT would be longer than the policy allows.
    BackendJwtTooLong,
}

/// What is said of a reason, and to whom.
pub(super) struct Row {
    pub(super) label: &'static str,
    /// To the operator.
    pub(super) text: &'static str,
    pub(super) status: StatusCode,
    /// To the caller.
    pub(super) error: Option<ErrorCode>,
    pub(super) wso2: Wso2,
    pub(super) grpc: u8,
}

/// The error codes of RFC 6750 section 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    InvalidRequest,
    InvalidToken,
    ExpiredToken,
    InsufficientScope,
}

impl ErrorCode {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken | Self::ExpiredToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }

    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest => "the request's credentials are malformed",
            Self::InvalidToken => "the access token is not valid",
            Self::ExpiredToken => "the access token expired",
            Self::InsufficientScope => "the access token's scope does not suffice",
        }
    }
}

/// The codes of WSO2's gateways, with the messages they have there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wso2 {
    Unclassified,
    InvalidCredentials,
    MissingCredentials,
    Expired,
    Blocked,
    Forbidden,
    Scope,
}

impl RefusalReason {
    /// Its name for metrics and logs: lower case, never changes.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.row().label
    }

    /// Every fact about a reason in one place, so that status, challenge, body and log agree.
    pub(super) const fn row(self) -> Row {
        use ErrorCode as Code;
        const fn row(
            label: &'static str,
            text: &'static str,
            status: StatusCode,
            error: Option<ErrorCode>,
            wso2: Wso2,
            grpc: u8,
        ) -> Row {
            Row {
                label,
                text,
                status,
                error,
                wso2,
                grpc,
            }
        }
        /// A token that does not hold: one answer for all of its reasons but expiry.
        const fn invalid(label: &'static str, text: &'static str) -> Row {
            row(
                label,
                text,
                StatusCode::UNAUTHORIZED,
                Some(Code::InvalidToken),
                Wso2::InvalidCredentials,
                UNAUTHENTICATED,
            )
        }
        /// A fault on our side, of which the caller learns nothing.
        const fn fault(label: &'static str, text: &'static str) -> Row {
            row(
                label,
                text,
                StatusCode::INTERNAL_SERVER_ERROR,
                None,
                Wso2::Unclassified,
                INTERNAL,
            )
        }
        // The status codes of gRPC.
        const PERMISSION_DENIED: u8 = 7;
        const INTERNAL: u8 = 13;
        const UNAVAILABLE: u8 = 14;
        const UNAUTHENTICATED: u8 = 16;

        match self {
            Self::MissingCredentials => row(
                "missing_credentials",
                "the request carries no access token",
                StatusCode::UNAUTHORIZED,
                None,
                Wso2::MissingCredentials,
                UNAUTHENTICATED,
            ),
            Self::MalformedRequest => row(
                "malformed_request",
                "the request's credentials are malformed",
                StatusCode::BAD_REQUEST,
                Some(Code::InvalidRequest),
                Wso2::InvalidCredentials,
                UNAUTHENTICATED,
            ),
            Self::TokenTooLong => invalid("token_too_long", "the token is longer than is read"),
            Self::MalformedToken => invalid("malformed_token", "the token is malformed"),
            Self::UnsupportedHeader => invalid(
                "unsupported_header",
                "the token's header asks for what is not implemented",
            ),
            Self::WrongType => invalid("wrong_type", "the token is of another kind"),
            Self::AlgorithmNotAllowed => invalid(
                "algorithm_not_allowed",
                "the token's algorithm is not allowed",
            ),
            Self::UnknownIssuer => invalid("unknown_issuer", "the token's issuer is not trusted"),
            Self::UnknownKey => invalid("unknown_key", "the issuer has no such key"),
            Self::InvalidSignature => {
                invalid("invalid_signature", "the token's signature does not hold")
            }
            Self::MalformedClaim => invalid("malformed_claim", "a claim is malformed"),
            Self::MissingClaim => invalid("missing_claim", "a required claim is absent"),
            Self::Expired => row(
                "expired",
                "the token is expired",
                StatusCode::UNAUTHORIZED,
                Some(Code::ExpiredToken),
                Wso2::Expired,
                UNAUTHENTICATED,
            ),
            Self::Revoked => invalid("revoked", "the token was revoked"),
            Self::NotYetValid => invalid("not_yet_valid", "the token is not valid yet"),
            Self::IssuedInFuture => invalid(
                "issued_in_future",
                "the token claims to be issued in the future",
            ),
            Self::WrongAudience => invalid("wrong_audience", "the token is for another audience"),
            Self::SenderConstrained => invalid(
                "sender_constrained",
                "the token is bound to a key whose proof is not checked here",
            ),
            Self::SelfIssued => invalid(
                "self_issued",
                "the token is a backend JWT of this gateway, which is no access token",
            ),
            Self::Rejected => invalid("rejected", "a check refused the token"),
            Self::InsufficientScope => row(
                "insufficient_scope",
                "the token's scope does not suffice",
                StatusCode::FORBIDDEN,
                Some(Code::InsufficientScope),
                Wso2::Scope,
                PERMISSION_DENIED,
            ),
            Self::Forbidden => row(
                "forbidden",
                "a check refused the request",
                StatusCode::FORBIDDEN,
                None,
                Wso2::Forbidden,
                PERMISSION_DENIED,
            ),
            Self::NotSubscribed => row(
                "not_subscribed",
                "the application is not subscribed to the API",
                StatusCode::FORBIDDEN,
                None,
                Wso2::Forbidden,
                PERMISSION_DENIED,
            ),
            Self::SubscriptionBlocked => row(
                "subscription_blocked",
                "the application's subscription is blocked",
                StatusCode::FORBIDDEN,
                None,
                Wso2::Blocked,
                PERMISSION_DENIED,
            ),
            Self::SourceUnavailable => row(
                "source_unavailable",
                "a source of what is said of the caller does not answer",
                StatusCode::SERVICE_UNAVAILABLE,
                None,
                Wso2::Unclassified,
                UNAVAILABLE,
            ),
            Self::KeysUnavailable => row(
                "keys_unavailable",
                "keys are not to be had",
                StatusCode::SERVICE_UNAVAILABLE,
                None,
                Wso2::Unclassified,
                UNAVAILABLE,
            ),
            Self::MissingAccessTokenLayer => fault(
                "missing_access_token_layer",
                "no AccessTokenLayer is before this: the request was never validated",
            ),
            Self::MissingPolicy => fault(
                "missing_policy",
                "no backend JWT policy was chosen for the request",
            ),
            Self::UnusableClaims => fault(
                "unusable_claims",
                "a claim cannot be put into the backend JWT",
            ),
            Self::BackendJwtTooLong => fault(
                "backend_jwt_too_long",
                "the backend JWT would be longer than its policy allows",
            ),
        }
    }
}
