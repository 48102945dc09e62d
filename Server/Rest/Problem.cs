using System.Text.Json.Serialization;
using Sketch.Engine;

namespace Sketch.Server.Rest;

/// <summary>
/// An error answer (RFC 9457, application/problem+json) that names the field, the value and what is allowed.
/// </summary>
/// <param name="Type">A stable name of the sort of error, for programs.</param>
/// <param name="Title">The sort of error, for people.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">The whole sentence.</param>
/// <param name="Field">What was wrong: a member of the body, a part of the path, a query parameter, a header, or body.</param>
/// <param name="Value">What was sent, shortened to 100 characters.</param>
/// <param name="Allowed">What would have been accepted.</param>
internal sealed record Problem(string Type, string Title, int Status, string Detail, string Field, string Value, string Allowed)
{
    private const string TypePrefix = "urn:sketch:problem:";
    private const int MaxValueLength = 100;

    /// <summary>The line of the body, from 1, where JSON could not be read.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Line { get; init; }

    /// <summary>The byte in that line, from 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Byte { get; init; }

    /// <summary>Seconds after which to try again; also the Retry-After header.</summary>
    [JsonIgnore]
    public int? RetryAfterSeconds { get; init; }

    /// <summary>A value of the request that is not allowed.</summary>
    public static Problem Invalid(string field, string value, string allowed) => Of(400, "invalid-value", "Not allowed", field, value, allowed);

    /// <summary>What the engine refused, at its place in the request. The engine has shortened the value where that was needed.</summary>
    public static Problem From(Rejection rejection, string? field = null)
    {
        (int status, string type, string title) = rejection.Reason switch
        {
            RejectionReason.NotFound => (404, "not-found", "Not found"),
            RejectionReason.Conflict => (409, "conflict", "Contradicts what exists"),
            RejectionReason.QuotaExceeded => (429, "quota-exceeded", "Quota used up"),
            _ => (400, "invalid-value", "Not allowed"),
        };
        rejection = rejection with { Field = field ?? rejection.Field, Value = rejection.Value.Length == 0 ? Shorten("") : rejection.Value };
        return new(TypePrefix + type, title, status, rejection.Detail, rejection.Field, rejection.Value, rejection.Allowed);
    }

    /// <summary>A namespace that does not exist.</summary>
    public static Problem UnknownNamespace(string name) =>
        Of(404, "unknown-namespace", "Unknown namespace", "namespace", name, "a namespace made with PUT /v1/namespaces/{namespace}");

    /// <summary>A counter that does not exist.</summary>
    public static Problem UnknownCounter(string name) =>
        Of(404, "unknown-counter", "Unknown counter", "name", name, "a counter that was incremented or made with PUT");

    /// <summary>Any error; the sentence is made of the last three.</summary>
    public static Problem Of(int status, string type, string title, string field, string value, string allowed)
    {
        value = Shorten(value);
        return new(TypePrefix + type, title, status, $"{field} is {value}; allowed: {allowed}", field, value, allowed);
    }

    /// <summary>At most 100 characters, never half a character; an empty value is said so.</summary>
    public static string Shorten(string value)
    {
        if (value.Length == 0)
            return "empty";
        if (value.Length <= MaxValueLength)
            return value;
        int cut = char.IsHighSurrogate(value[MaxValueLength - 2]) ? MaxValueLength - 2 : MaxValueLength - 1;
        return value[..cut] + "…";
    }
}
