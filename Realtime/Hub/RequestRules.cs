using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.SignalR;
using Sketch.Engine;
using Sketch.Engine.Reads;
using Sketch.Realtime.Broadcast;

namespace Sketch.Realtime.Hub;

/// <summary>Checks a request once, at the edge; every refusal names the field, the value and what is allowed.</summary>
internal static class RequestRules
{
    /// <summary>What a subscriber is told while the node opens, or cannot read.</summary>
    public const string NotNow = "The values cannot be read at this moment; subscribe again in a second.";

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>What the request asks for.</summary>
    /// <exception cref="HubException">A field is missing or out of range.</exception>
    public static Selection Check(SubscriptionRequest? request, ICounterReader reader)
    {
        if (request is null)
            throw new HubException("The request is missing; allowed: {namespace, names or prefix or top, intervalMs, confidence}.");
        if (string.IsNullOrEmpty(request.Namespace))
            throw new HubException("namespace is missing; allowed: the name of an existing namespace.");
        if (request.Namespace.Length > EngineLimits.MaxNamespaceLength || !Has(reader, request.Namespace))
            throw new HubException($"namespace is '{Shorten(request.Namespace)}'; there is no such namespace.");
        int asked = (request.Names is null ? 0 : 1) + (request.Prefix is null ? 0 : 1) + (request.Top is null ? 0 : 1);
        if (asked != 1)
            throw new HubException($"{asked} of names, prefix and top are given; allowed: exactly one.");
        if (request.Names is { } names)
            CheckNames(names);
        if (request.Prefix is { } prefix)
            CheckText("prefix", prefix, 0);
        if (request.Top is < 1 or > RealtimeLimits.MaxNames)
            throw new HubException(FormattableString.Invariant($"top is {request.Top}; allowed 1 to {RealtimeLimits.MaxNames}."));
        return new Selection(
            request.Namespace,
            request.Names?.Distinct(StringComparer.Ordinal).ToArray(),
            request.Prefix,
            request.Top ?? 0,
            CheckInterval(request.IntervalMs ?? RealtimeLimits.DefaultIntervalMs),
            CheckConfidence(request.Confidence ?? ICounterReader.DefaultConfidence));
    }

    private static bool Has(ICounterReader reader, string @namespace)
    {
        try
        {
            return reader.HasNamespace(@namespace);
        }
        catch (InvalidOperationException)
        {
            throw new HubException(NotNow);
        }
    }

    private static void CheckNames(IReadOnlyList<string> names)
    {
        if (names.Count is < 1 or > RealtimeLimits.MaxNames)
            throw new HubException(FormattableString.Invariant($"names has {names.Count} entries; allowed 1 to {RealtimeLimits.MaxNames}."));
        for (int i = 0; i < names.Count; i++)
            CheckText(string.Create(CultureInfo.InvariantCulture, $"names[{i}]"), names[i], 1);
    }

    private static void CheckText(string field, string? text, int minBytes)
    {
        int bytes;
        try
        {
            bytes = text is null ? 0 : Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            throw new HubException($"{field} holds half a surrogate pair; allowed: Unicode text.");
        }

        if (bytes < minBytes || bytes > EngineLimits.MaxNameBytes)
            throw new HubException(FormattableString.Invariant($"{field} has {bytes} bytes; allowed {minBytes} to {EngineLimits.MaxNameBytes}."));
    }

    private static int CheckInterval(int intervalMs)
    {
        if (intervalMs is < RealtimeLimits.MinIntervalMs or > RealtimeLimits.MaxIntervalMs)
        {
            throw new HubException(FormattableString.Invariant(
                $"intervalMs is {intervalMs}; allowed {RealtimeLimits.MinIntervalMs} to {RealtimeLimits.MaxIntervalMs}."));
        }

        return (intervalMs + RealtimeLimits.MinIntervalMs - 1) / RealtimeLimits.MinIntervalMs * RealtimeLimits.MinIntervalMs;
    }

    private static double CheckConfidence(double confidence) =>
        confidence is > RealtimeLimits.ConfidenceAbove and < 1
            ? confidence
            : throw new HubException(FormattableString.Invariant(
                $"confidence is {confidence}; allowed above {RealtimeLimits.ConfidenceAbove} and below 1."));

    private static string Shorten(string text) => text.Length <= 64 ? text : string.Concat(text.AsSpan(0, 64), "…");
}
