using System.Text;
using Sketch.Engine.Catalogue;

namespace Sketch.Engine;

/// <summary>What definitions may say; checked before they reach the log.</summary>
internal static class Definitions
{
    /// <summary>Whether a namespace may be made, or become, what a definition says; null when it may.</summary>
    public static Rejection? Check(NamespaceDefinition definition, CounterCatalogue catalogue)
    {
        if (CounterName.CheckNamespace(definition.Name) is { } badName)
        {
            return badName;
        }

        if (!Enum.IsDefined(definition.Tier))
        {
            return Bad("tier", $"{(int)definition.Tier}", "strong, eventual or approximate");
        }

        if (definition.RetentionDays is < 1 or > 365)
        {
            return Bad("retentionDays", $"{definition.RetentionDays}", "1 to 365");
        }

        if (definition.MaxCounters is < 1 or > 100_000_000)
        {
            return Bad("maxCounters", $"{definition.MaxCounters}", "1 to 100000000");
        }

        if (definition.LifetimeDays is < 1 or > 365)
        {
            return Bad("lifetimeDays", $"{definition.LifetimeDays}", "1 to 365");
        }

        return catalogue.Find(definition.Name) is null && catalogue.Namespaces.Count >= EngineLimits.MaxNamespaces
            ? new Rejection(
                RejectionReason.QuotaExceeded, "namespace", $"'{definition.Name}'", $"existing namespaces: the node holds its maximum of {EngineLimits.MaxNamespaces}")
            : null;
    }

    /// <summary>Whether a counter may be made, or become, what a definition says; null when it may.</summary>
    public static Rejection? Check(CounterDefinition definition, ulong id, NamespaceEntry owner, CounterCatalogue catalogue)
    {
        byte[] name = Encoding.UTF8.GetBytes(definition.Name);
        if (CounterName.Check(name) is { } badName)
        {
            return badName;
        }

        if (!Enum.IsDefined(definition.Kind))
        {
            return Bad("kind", $"{(int)definition.Kind}", "sum, distinct or top");
        }

        if (definition.K is { } k && (definition.Kind != CounterKind.Top || k is < 1 or > CounterDefinition.MaxK))
        {
            return Bad("k", $"{k}", definition.Kind == CounterKind.Top ? $"1 to {CounterDefinition.MaxK}" : "none: only counters of the kind top have a k");
        }

        if (definition.Tier is { } tier && !Enum.IsDefined(tier))
        {
            return Bad("tier", $"{(int)tier}", "strong, eventual or approximate");
        }

        if (CheckLabels(definition.Labels) is { } badLabel)
        {
            return badLabel;
        }

        if (definition.Labels is { Count: > 0 } && catalogue.Labels.Count >= EngineLimits.MaxLabelledCounters
            && catalogue.Defined(id) is not { Definition.Labels.Count: > 0 })
        {
            return new Rejection(
                RejectionReason.QuotaExceeded, "labels", $"{definition.Labels.Count} labels",
                $"none: the node holds its maximum of {EngineLimits.MaxLabelledCounters} counters with labels");
        }

        if (!catalogue.Counters.TryGet(id, out NameEntry entry))
        {
            return owner.Counters >= owner.State.Definition.MaxCounters
                ? new Rejection(
                    RejectionReason.QuotaExceeded, "name", CounterName.Shown(name),
                    $"names already counted: the namespace holds its maximum of {owner.State.Definition.MaxCounters} counters")
                : CheckRoom(definition, catalogue, isNew: true);
        }

        return entry.Is(owner.State.Index, name) ? CheckKind(definition, id, entry, catalogue) : CounterName.Taken(name);
    }

    private static Rejection? CheckKind(CounterDefinition definition, ulong id, NameEntry entry, CounterCatalogue catalogue)
    {
        CounterKind kind = (entry.IsDefined ? catalogue.Defined(id)?.Kind : null) ?? CounterKind.Sum;
        if (entry.IsDeclared && kind != definition.Kind)
        {
            string text = Lowercase<CounterKind>.Of(kind);
            return new Rejection(
                RejectionReason.Conflict, "kind", Lowercase<CounterKind>.Of(definition.Kind), $"{text}, which the counter is; delete it before it becomes something else");
        }

        return CheckRoom(definition, catalogue, isNew: !entry.IsDeclared);
    }

    private static Rejection? CheckRoom(CounterDefinition definition, CounterCatalogue catalogue, bool isNew)
    {
        int most = definition.Kind switch
        {
            CounterKind.Distinct => EngineLimits.MaxDistinctCounters,
            CounterKind.Top => EngineLimits.MaxTopCounters,
            _ => int.MaxValue,
        };
        string kind = Lowercase<CounterKind>.Of(definition.Kind);
        return isNew && catalogue.CountOf(definition.Kind) >= most
            ? new Rejection(RejectionReason.QuotaExceeded, "kind", kind, $"other kinds: the node holds its maximum of {most} counters of the kind {kind}")
            : null;
    }

    private static Rejection? CheckLabels(IReadOnlyDictionary<string, string>? labels)
    {
        if (labels is null)
        {
            return null;
        }

        if (labels.Count > EngineLimits.MaxLabels)
        {
            return Bad("labels", $"{labels.Count} labels", $"at most {EngineLimits.MaxLabels}");
        }

        foreach ((string label, string value) in labels)
        {
            if (Encoding.UTF8.GetByteCount(label) is < 1 or > EngineLimits.MaxLabelBytes || Encoding.UTF8.GetByteCount(value) is < 1 or > EngineLimits.MaxLabelBytes)
            {
                return Bad(
                    "labels", $"{CounterName.Shown(Encoding.UTF8.GetBytes(label))}: {CounterName.Shown(Encoding.UTF8.GetBytes(value))}",
                    $"names and values of 1 to {EngineLimits.MaxLabelBytes} bytes");
            }
        }

        return null;
    }

    private static Rejection Bad(string field, string value, string allowed) => new(RejectionReason.Invalid, field, value, allowed);

    /// <summary>Null when a counter of this tier may get this delta, else the refusal, of the field delta.</summary>
    public static Rejection? CheckDelta(long delta, Tier tier) => delta switch
    {
        < -EngineLimits.MaxDelta or > EngineLimits.MaxDelta => new Rejection(
            RejectionReason.Invalid, "delta", $"{delta}", $"{-EngineLimits.MaxDelta} to {EngineLimits.MaxDelta}"),
        < 0 when tier == Tier.Approximate => new Rejection(
            RejectionReason.Invalid, "delta", $"{delta}",
            $"0 to {EngineLimits.MaxDelta} for an approximate counter (counters of the tiers strong and eventual take negative deltas)"),
        _ => null,
    };
}
