using System.Text;
using Microsoft.Extensions.Options;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Reads;
using Sketch.Realtime;
using Sketch.Realtime.Alerts;
using Sketch.Server.Hosting;

namespace Sketch.Server.Rest;

/// <summary>Alerts: made, read, deleted.</summary>
internal static class AlertRoutes
{
    private const int MaxOverSeconds = 300;
    private const int MaxForSeconds = 3_600;
    private const int DefaultOverSeconds = 5;

    /// <summary>GET /v1/namespaces/{namespace}/alerts.</summary>
    public static Task ListAsync(HttpContext context, string @namespace, EngineGate gate, AlertBook book)
    {
        QueryParameters.Require(context.Request);
        gate.RequireNamespace(@namespace);
        return context.WriteAsync(new AlertsAnswer(book.List(@namespace)), AnswersJson.Readable.AlertsAnswer);
    }

    /// <summary>GET /v1/namespaces/{namespace}/alerts/{id}.</summary>
    public static Task GetAsync(HttpContext context, string @namespace, string id, EngineGate gate, AlertBook book)
    {
        QueryParameters.Require(context.Request);
        gate.RequireNamespace(@namespace);
        return context.WriteAsync(book.Find(@namespace, id) ?? throw Unknown(id), AnswersJson.Readable.Alert);
    }

    /// <summary>PUT /v1/namespaces/{namespace}/alerts/{id}.</summary>
    public static async Task PutAsync(
        HttpContext context, string @namespace, string id, EngineGate gate, AlertBook book, IOptions<RealtimeOptions> options)
    {
        QueryParameters.Require(context.Request);
        AlertRule rule = await ReadAsync(context, @namespace, id, options.Value).ConfigureAwait(false);
        gate.RequireNamespace(@namespace);
        (Alert alert, bool isNew) = await book.PutAsync(rule, context.RequestAborted).ConfigureAwait(false)
            ?? throw new ProblemException(Problem.Of(
                429, "quota-exceeded", "Quota used up", "id", id,
                $"rules that exist: a namespace holds {AlertBook.MaxRulesOfNamespace}, a node {AlertBook.MaxRules}"));
        await context.WriteAsync(alert, AnswersJson.Readable.Alert, isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK).ConfigureAwait(false);
    }

    /// <summary>DELETE /v1/namespaces/{namespace}/alerts/{id}.</summary>
    public static async Task DeleteAsync(HttpContext context, string @namespace, string id, EngineGate gate, AlertBook book)
    {
        QueryParameters.Require(context.Request);
        gate.RequireNamespace(@namespace);
        if (!await book.DeleteAsync(@namespace, id, context.RequestAborted).ConfigureAwait(false))
            throw Unknown(id);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task<AlertRule> ReadAsync(HttpContext context, string @namespace, string id, RealtimeOptions options)
    {
        using RequestBody body = await NamespaceRoutes.ReadJsonAsync(context).ConfigureAwait(false);
        JsonMembers members = JsonMembers.Parse(
            body.Memory, "counter", "of", "above", "below", "when", "confidence", "overSeconds", "forSeconds", "webhook");
        // The same form as a namespace's name: both stand in paths.
        if (CounterName.CheckNamespace(id) is { } badId)
            throw new ProblemException(Problem.From(badId, "id"));
        string counter = members.Text("counter", "the name of a counter") ?? throw Invalid("counter", "missing", "the name of a counter");
        if (CounterName.Check(Encoding.UTF8.GetBytes(counter)) is { } badName)
            throw new ProblemException(Problem.From(badName, "counter"));
        bool isRate = Choice(members, "of", "value", "rate");
        bool isMaybe = Choice(members, "when", "surely", "maybe");
        (double? above, double? below) = (members.Number("above"), members.Number("below"));
        if (above is null == below is null)
            throw Invalid(above is null ? "above" : "below", above is null ? "missing" : "given beside above", "exactly one of above and below, a number");
        if (!isRate && members.Whole("overSeconds", 1, MaxOverSeconds) is { } over)
            throw Invalid("overSeconds", $"{over}", "none: only a rate is taken over seconds");
        double confidence = members.Number("confidence") ?? ICounterReader.DefaultConfidence;
        if (confidence is <= 0.5 or >= 1)
            throw Invalid("confidence", FormattableString.Invariant($"{confidence}"), "a number above 0.5 and below 1");
        return new AlertRule(
            @namespace, id, counter, isRate, above is not null, (above ?? below)!.Value, !isMaybe, confidence,
            members.Whole("overSeconds", 1, MaxOverSeconds) ?? DefaultOverSeconds,
            members.Whole("forSeconds", 0, MaxForSeconds) ?? 0,
            members.Object("webhook", "url", "secret") is { } webhook ? Target(webhook, options) : null);
    }

    private static AlertTarget Target(JsonMembers webhook, RealtimeOptions options)
    {
        const string secretForm = "16 to 128 characters, what deliveries are signed with";
        string url = webhook.Text("url", WebhookTargets.Allowed) ?? throw Invalid("webhook.url", "missing", WebhookTargets.Allowed);
        string secret = webhook.Text("secret", secretForm) ?? throw Invalid("webhook.secret", "missing", secretForm);
        if (secret.Length is < 16 or > 128)
            throw Invalid("webhook.secret", $"{secret.Length} characters long", secretForm);
        return new AlertTarget(WebhookTargets.Parse(url, options) ?? throw Invalid("webhook.url", url, WebhookTargets.Allowed), secret);
    }

    // False for the first, which is also the default.
    private static bool Choice(JsonMembers members, string name, string first, string second)
    {
        string allowed = $"{first} or {second}";
        string chosen = members.Text(name, allowed) ?? first;
        return chosen == second || (chosen == first ? false : throw Invalid(name, chosen, allowed));
    }

    private static ProblemException Invalid(string field, string value, string allowed) => new(Problem.Invalid(field, value, allowed));

    private static ProblemException Unknown(string id) =>
        new(Problem.Of(404, "unknown-alert", "Unknown alert", "id", id, "an alert made with PUT"));
}
