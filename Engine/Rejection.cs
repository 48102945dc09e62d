namespace Sketch.Engine;

/// <summary>Why something was refused; nothing was changed by it.</summary>
public enum RejectionReason
{
    /// <summary>A field's value is not allowed (HTTP 400).</summary>
    Invalid,

    /// <summary>The namespace or counter does not exist (HTTP 404).</summary>
    NotFound,

    /// <summary>It contradicts what exists: an id taken by another name, an old sequence (HTTP 409).</summary>
    Conflict,

    /// <summary>A quota is used up (HTTP 429).</summary>
    QuotaExceeded,
}

/// <summary>An answer that names the field, the value and what is allowed.</summary>
/// <param name="Reason">The sort of refusal.</param>
/// <param name="Field">The field, for example increments[3].delta.</param>
/// <param name="Value">What was sent, shortened to 100 characters.</param>
/// <param name="Allowed">What would have been accepted.</param>
public sealed record Rejection(RejectionReason Reason, string Field, string Value, string Allowed)
{
    /// <summary>The sentence for people: "increments[3].delta is -1; allowed: 0 to 1000000000000".</summary>
    public string Detail => $"{Field} is {Value}; allowed: {Allowed}";
}
