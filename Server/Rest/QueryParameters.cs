using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Sketch.Engine;
using Sketch.Engine.Reads;
using Sketch.Realtime;

namespace Sketch.Server.Rest;

/// <summary>Query parameters, each checked; a parameter that a route does not know is refused, since a misspelt one would be ignored in silence.</summary>
internal static class QueryParameters
{
    /// <summary>The most values in one answer.</summary>
    public const int MaxValues = 1_000;

    private const int DefaultLimit = 100;
    private const int DefaultTop = 10;
    private const int MaxPoints = 10_000;
    private const int MaxStepHours = 24 * 31;

    /// <summary>Refuses any parameter that is not in the list, and any given twice.</summary>
    public static void Require(HttpRequest request, params ReadOnlySpan<string> known) => Require(request, [], known);

    private static void Require(HttpRequest request, ReadOnlySpan<string> lists, ReadOnlySpan<string> known)
    {
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in request.Query)
        {
            if (!known.Contains(name))
            {
                string allowed = known.IsEmpty ? "no query parameters" : string.Join(", ", known.ToArray());
                throw new ProblemException(Problem.Invalid(Problem.Shorten(name), "not a query parameter of this route", allowed));
            }

            if (values.Count > 1 && !lists.Contains(name))
                throw new ProblemException(Problem.Invalid(name, "given more than once", "one value"));
        }
    }

    /// <summary>confidence, between 0.5 and 1.</summary>
    public static double Confidence(HttpRequest request)
    {
        if (Text(request, "confidence") is not { } text)
            return ICounterReader.DefaultConfidence;
        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double confidence) && confidence is > 0.5 and < 1
            ? confidence
            : throw Refuse("confidence", text, "a number above 0.5 and below 1");
    }

    /// <summary>What a stream of frames watches: names may be given more than once, each is one.</summary>
    public static SubscriptionRequest Watch(HttpRequest request, string @namespace)
    {
        Require(request, ["names"], ["names", "prefix", "labels", "top", "intervalMs", "confidence"]);
        return new SubscriptionRequest
        {
            Namespace = @namespace,
            Names = request.Query.TryGetValue("names", out Microsoft.Extensions.Primitives.StringValues names) ? [.. names.OfType<string>()] : null,
            Prefix = Text(request, "prefix"),
            Labels = Text(request, "labels") is { } labels ? LabelSelector.Parse(labels) : null,
            Top = Text(request, "top") is null ? null : Whole(request, "top", 0, MaxValues),
            IntervalMs = Text(request, "intervalMs") is null ? null : Whole(request, "intervalMs", 0, RealtimeLimits.MaxIntervalMs),
            Confidence = Confidence(request),
            Resume = LastEventId(request),
        };
    }

    /// <summary>The id of a stream's event.</summary>
    public static string EventId(CounterFrame frame) => string.Create(CultureInfo.InvariantCulture, $"{frame.Number}@{frame.AsOf:O}");

    /// <summary>limit of a list.</summary>
    public static int Limit(HttpRequest request) => Whole(request, "limit", DefaultLimit, MaxValues);

    /// <summary>k of a top list.</summary>
    public static int K(HttpRequest request) => Whole(request, "k", DefaultTop, MaxValues);

    /// <summary>prefix of names.</summary>
    public static string Prefix(HttpRequest request)
    {
        string prefix = Text(request, "prefix") ?? "";
        return Encoding.UTF8.GetByteCount(prefix) <= EngineLimits.MaxNameBytes
            ? prefix
            : throw Refuse("prefix", prefix, $"at most {EngineLimits.MaxNameBytes} bytes of UTF-8");
    }

    /// <summary>The name after which a page begins; null for the first.</summary>
    public static string? After(HttpRequest request)
    {
        if (Text(request, "cursor") is not { } cursor)
            return null;
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Base64Url.DecodeFromChars(cursor));
        }
        catch (Exception failure) when (failure is FormatException or ArgumentException)
        {
            throw Refuse("cursor", cursor, "the cursor of the previous page, as it was");
        }
    }

    /// <summary>The cursor that continues after a name.</summary>
    public static string Cursor(string last) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(last));

    /// <summary>from, to and step of a history: by default the last 24 hours by the hour.</summary>
    public static (DateTimeOffset From, DateTimeOffset To, int StepHours) Period(HttpRequest request, DateTimeOffset now)
    {
        string stepText = Text(request, "step") ?? "1h";
        int hours = stepText.Length > 1 && int.TryParse(stepText.AsSpan(0, stepText.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            ? stepText[^1] switch { 'h' => count, 'd' when count <= MaxStepHours => count * 24, _ => 0 }
            : 0;
        if (hours is < 1 or > MaxStepHours)
            throw Refuse("step", stepText, "1h to 744h or 1d to 31d");

        DateTimeOffset to = Moment(request, "to") ?? now;
        DateTimeOffset from = Moment(request, "from") ?? to.AddHours(-24);
        if (from >= to)
            throw Refuse("from", Text(request, "from") ?? from.ToString("O", CultureInfo.InvariantCulture), $"a moment before to ({to:O})");
        return (to - from).TotalHours / hours <= MaxPoints
            ? (from, to, hours)
            : throw Refuse("step", stepText, $"a step that makes at most {MaxPoints} points from {from:O} to {to:O}");
    }

    private static DateTimeOffset? Moment(HttpRequest request, string name)
    {
        if (Text(request, name) is not { } text)
            return null;
        // A '+' in a query is a space: 2026-11-23T10:00:00+01:00 arrives so.
        return DateTimeOffset.TryParse(text.Replace(' ', '+'), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment)
            ? moment.ToUniversalTime()
            : throw Refuse(name, text, "a moment such as 2026-11-23T10:00:00Z");
    }

    private static int Whole(HttpRequest request, string name, int otherwise, int max)
    {
        if (Text(request, name) is not { } text)
            return otherwise;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= 1 && number <= max
            ? number
            : throw Refuse(name, text, $"1 to {max}");
    }

    // A browser sends it by itself when it connects again; what is not ours is as good as none.
    private static ResumePoint? LastEventId(HttpRequest request)
    {
        string[] parts = request.Headers["Last-Event-ID"].ToString().Split('@');
        return parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= 1
            && DateTimeOffset.TryParse(parts[1], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset asOf)
                ? new ResumePoint { Number = number, AsOf = asOf.UtcDateTime }
                : null;
    }

    private static string? Text(HttpRequest request, string name) => request.Query.TryGetValue(name, out Microsoft.Extensions.Primitives.StringValues values) ? values.ToString() : null;

    private static ProblemException Refuse(string name, string value, string allowed) => new(Problem.Invalid(name, value, allowed));
}
