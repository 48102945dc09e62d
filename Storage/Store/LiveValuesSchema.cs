namespace Sketch.Storage.Store;

/// <summary>The shape of live_values, and what stands in for counters whose values a cut does not hold.</summary>
internal static class LiveValuesSchema
{
    public const string Columns =
        "namespace LowCardinality(String), name String, id UInt64, kind LowCardinality(String), tier LowCardinality(String), "
        + "value Int64, lower Int64, upper Int64, confidence Float64, exact_as_of DateTime64(3, 'UTC')";

    /// <summary>The view that there is when no node has put a cut in its place: whoever asks ClickHouse itself learns whom to ask.</summary>
    public static string View { get; } = "CREATE OR REPLACE VIEW sketch.live_values AS " + Guard(
        "live_values is answered by a Sketch node: ask through its SQL port", "1");

    /// <summary>The rows of a cut, and all other counters without values.</summary>
    public static string WithGuard(string rows) =>
        $"SELECT * FROM sketch.{rows} UNION ALL " + Guard(
            "this statement needs live values of counters that it does not name: write namespace = ''...'' (and, in a namespace of more than a million counters, name = ''...'')",
            // Global: on a cluster the cut is on one server only.
            $"id GLOBAL NOT IN (SELECT id FROM sketch.{rows})");

    // The condition of throwIf depends on the row, so that nothing throws unless a value is really asked for.
    private static string Guard(string message, string condition)
    {
        string refuse = $"throwIf(name != '', '{message}')";
        return $"""
            SELECT namespace, name, id, kind, tier, toInt64({refuse}) AS value, toInt64({refuse}) AS lower, toInt64({refuse}) AS upper,
                toFloat64({refuse}) AS confidence, toDateTime64({refuse}, 3, 'UTC') AS exact_as_of
            FROM sketch.counter_rows FINAL WHERE NOT deleted AND {condition}
            """;
    }
}
