using System.Globalization;
using System.Text;
using Sketch.Engine;
using Sketch.Engine.Reads;
using Sketch.Realtime.Broadcast;

namespace Sketch.Realtime.Hub;

/// <summary>Checks a request once, at the edge; every refusal names the field, the value and what is allowed.</summary>
internal static class RequestRules
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>What the request asks for.</summary>
    /// <exception cref="SubscriptionRefusedException">A field is missing or out of range, or the node can't read now.</exception>
    public static Selection Check(SubscriptionRequest? request, ICounterReader reader)
    {
        if (request is null)
            throw Invalid("request", "missing", "{namespace, names or prefix or labels or top, intervalMs, confidence}");
        CheckNamespace(request.Namespace, reader);
        int asked = (request.Names is null ? 0 : 1) + (request.Prefix is null ? 0 : 1) + (request.Labels is null ? 0 : 1) + (request.Top is null ? 0 : 1);
        if (asked != 1)
            throw new SubscriptionRefusedException(
                "selection", $"{asked} of names, prefix, labels and top", "exactly one", 400, $"{asked} of names, prefix, labels and top are given; allowed: exactly one.");
        if (request.Names is { } names)
            CheckNames(names);
        if (request.Prefix is { } prefix)
            CheckText("prefix", prefix, 0, EngineLimits.MaxNameBytes);
        if (request.Labels is { } labels)
            CheckLabels(labels);
        if (request.Top is < 1 or > RealtimeLimits.MaxNames)
            throw Invalid("top", Text(request.Top.Value), $"1 to {RealtimeLimits.MaxNames}");
        if (request.Resume is { Number: < 1 } resume)
            throw Invalid("resume.number", Text(resume.Number), "the number of the last frame received, from 1");
        return new Selection(
            request.Namespace!,
            request.Names?.Distinct(StringComparer.Ordinal).ToArray(),
            request.Prefix is { } start ? new NameQuery(start) : request.Labels is { } wanted ? new NameQuery(wanted) : null,
            request.Top ?? 0,
            CheckInterval(request.IntervalMs ?? RealtimeLimits.DefaultIntervalMs),
            CheckConfidence(request.Confidence ?? ICounterReader.DefaultConfidence),
            request.Resume);
    }

    /// <summary>Refuses a namespace that does not exist.</summary>
    public static void CheckNamespace(string? name, ICounterReader reader)
    {
        if (string.IsNullOrEmpty(name))
            throw Invalid("namespace", "missing", "the name of an existing namespace");
        if (name.Length > EngineLimits.MaxNamespaceLength || !Has(reader, name))
            throw new SubscriptionRefusedException(
                "namespace", Shorten(name), "the name of an existing namespace", 404, $"namespace is '{Shorten(name)}'; there is no such namespace.");
    }

    private static bool Has(ICounterReader reader, string @namespace)
    {
        try
        {
            return reader.HasNamespace(@namespace);
        }
        catch (InvalidOperationException)
        {
            throw SubscriptionRefusedException.NotNow();
        }
    }

    private static void CheckNames(IReadOnlyList<string> names)
    {
        if (names.Count is < 1 or > RealtimeLimits.MaxNames)
            throw Invalid("names", $"a list of {names.Count}", $"1 to {RealtimeLimits.MaxNames} names");
        for (int i = 0; i < names.Count; i++)
            CheckText(string.Create(CultureInfo.InvariantCulture, $"names[{i}]"), names[i], 1, EngineLimits.MaxNameBytes);
    }

    private static void CheckLabels(IReadOnlyDictionary<string, string> labels)
    {
        if (labels.Count is < 1 or > EngineLimits.MaxLabels)
            throw Invalid("labels", $"a list of {labels.Count}", $"1 to {EngineLimits.MaxLabels} labels");
        foreach (var (label, value) in labels)
        {
            CheckText("the name of a label", label, 1, EngineLimits.MaxLabelBytes);
            CheckText($"labels.{label}", value, 0, EngineLimits.MaxLabelBytes);
        }
    }

    private static void CheckText(string field, string? text, int minBytes, int maxBytes)
    {
        int bytes;
        try
        {
            bytes = text is null ? 0 : Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            throw Invalid(field, "half a surrogate pair", "Unicode text");
        }

        if (bytes < minBytes || bytes > maxBytes)
            throw Invalid(field, $"{bytes} bytes long", $"{minBytes} to {maxBytes} bytes");
    }

    private static int CheckInterval(int intervalMs) =>
        intervalMs is < RealtimeLimits.MinIntervalMs or > RealtimeLimits.MaxIntervalMs
            ? throw Invalid("intervalMs", Text(intervalMs), $"{RealtimeLimits.MinIntervalMs} to {RealtimeLimits.MaxIntervalMs}")
            : (intervalMs + RealtimeLimits.MinIntervalMs - 1) / RealtimeLimits.MinIntervalMs * RealtimeLimits.MinIntervalMs;

    private static double CheckConfidence(double confidence) =>
        confidence is > RealtimeLimits.ConfidenceAbove and < 1
            ? confidence
            : throw Invalid("confidence", confidence.ToString(CultureInfo.InvariantCulture), "above 0.5 and below 1");

    private static SubscriptionRefusedException Invalid(string field, string value, string allowed) =>
        SubscriptionRefusedException.Invalid(field, value, allowed);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Shorten(string text) => text.Length <= 64 ? text : string.Concat(text.AsSpan(0, 64), "…");
}
